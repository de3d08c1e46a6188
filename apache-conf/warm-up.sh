#!/bin/sh
# Start the responders of mod_fcgid before they are needed.
#
#	warm-up.sh [--stay] URL N
#
# asks N times at once for URL/health/live?warm-up, which the configuration
# makes last (IMS_HOLD_MS), so that each request finds the others' processes
# busy and gets one of its own; again until no request had to wait for a start.
# Takes about six seconds.  With --stay it then reads standard input to its
# end: so Apache itself runs it as the program of a log, at its start and after
# each reload.
set -eu

stay=no
if [ "${1-}" = --stay ]; then
	stay=yes
	shift
fi
if [ $# -ne 2 ]; then
	echo "usage: warm-up.sh [--stay] URL N" >&2
	exit 64
fi
url=$1/health/live
n=$2

# wait_for_server: until it answers at all, 30 s at most.
wait_for_server() {
	tries=300
	until curl -ksf -m 5 -o /dev/null "$url"; do
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ]; then
			echo "warm-up: nobody answers at $url" >&2
			return 1
		fi
		sleep 0.1
	done
}

# ask_at_once: N requests, all under way before the first is answered; prints
# how many were answered and how many had no process at once: those took a
# second more than the 1.5 s that a request is held.
ask_at_once() {
	i=0
	while [ "$i" -lt "$n" ]; do
		printf 'url = "%s?warm-up"\noutput = "/dev/null"\n' "$url"
		i=$((i + 1))
	done | curl -k --no-progress-meter -m 30 --parallel \
		--parallel-immediate --parallel-max "$n" \
		-w '%{http_code} %{time_total}\n' -K - 2>/dev/null |
		awk '$1 == 200 { answered++; if ($2 > 2.4) late++ }
			END { print answered + 0, late + 0 }'
}

warm_up() {
	for round in 1 2 3 4; do
		result=$(ask_at_once)
		late=${result#* }
		echo "warm-up: round $round, ${result% *} of $n answered," \
			"$late waited for a start" >&2
		if [ "$late" -eq 0 ]; then
			return
		fi
	done
}

if wait_for_server; then
	warm_up
fi
if [ "$stay" = yes ]; then
	exec cat >/dev/null
fi
