// app: the start page.  Asks /health/ready, shows what it says as text.

const EVERY_MS = 5000;

const state = document.getElementById("state");
const mark = state.querySelector(".mark");
const stateText = document.getElementById("state-text");
const facts = document.getElementById("facts");
const key = document.getElementById("key");

// say(kind, sign, text): kind is ready, bad or unknown.  Only a change is
// written, so that a screen reader is not told the same again and again.
function say(kind, sign, text) {
	if (stateText.textContent === text) {
		return;
	}
	state.dataset.state = kind;
	mark.textContent = sign;
	stateText.textContent = text;
}

// Every leaf of a JSON value as [name, text] pairs.
function leaves(value, name = "") {
	if (value === null || typeof value !== "object") {
		return [[name, String(value)]];
	}
	return Object.entries(value).flatMap(([part, below]) =>
		leaves(below, name === "" ? part : `${name} ${part}`));
}

function showFacts(body) {
	const rows = leaves(body).map(([name, text]) => {
		const row = document.createElement("tr");
		const head = document.createElement("th");
		const cell = document.createElement("td");
		head.scope = "row";
		head.textContent = name.replaceAll("_", " ");
		cell.textContent = text;
		row.append(head, cell);
		return row;
	});
	facts.tBodies[0].replaceChildren(...rows);
	facts.hidden = rows.length === 0;
}

let lostSince = null;

async function ask() {
	const headers = { Accept: "application/json" };
	if (key.value.trim() !== "") {
		headers.Authorization = `Bearer ${key.value.trim()}`;
	}
	try {
		const answer = await fetch("/health/ready", { headers });
		const body = await answer.json();
		lostSince = null;
		if (answer.status === 401) {
			say("bad", "!", "This key is not known");
			return;
		}
		if (answer.ok) {
			say("ready", "✓", "Ready: it decides and records");
		} else {
			say("bad", "!", `Not ready (${answer.status})`);
		}
		showFacts(body);
	} catch {
		lostSince ??= new Date().toLocaleTimeString();
		say("bad", "!", `The engine cannot be reached since ${lostSince}`);
	}
}

let timer;

async function turn() {
	clearTimeout(timer);
	if (!document.hidden) {
		await ask();
	}
	timer = setTimeout(turn, EVERY_MS);
}

document.getElementById("key-form").addEventListener("submit", (event) => {
	event.preventDefault();
	turn();
});
document.addEventListener("visibilitychange", turn);
turn();
