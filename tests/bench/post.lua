-- post: what wrk sends: the evaluation of a prompt that makes the body
-- IMS_BODY_BYTES long (1024), with the key IMS_KEY, for each of IMS_USERS
-- users in turn (1), to the region IMS_REGION (us-east; "": it is not said, and
-- the seed policies log that as a violation); with IMS_DELAY_MS, a pause of
-- that length on average between two requests of a connection.

local bytes = tonumber(os.getenv("IMS_BODY_BYTES") or "1024")
local pause = tonumber(os.getenv("IMS_DELAY_MS") or "0")
local users = tonumber(os.getenv("IMS_USERS") or "1")
local region = os.getenv("IMS_REGION") or "us-east"
local text = "Please summarise the minutes of the meeting in five lines. "
local requests = {}
local at = 0

local function body(user)
	local head = '{"model_id":"gpt-4o-mini","user_id":"bench-' .. user ..
	    '","correlation_id":"bench","max_output_tokens":256,' ..
	    (region ~= "" and '"region":"' .. region .. '",' or "") ..
	    '"messages":[{"role":"user","content":"'
	local tail = '"}]}'
	local room = bytes - #head - #tail

	return head .. string.rep(text, math.ceil(room / #text)):sub(1, room) ..
	    tail
end

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("IMS_KEY") or "")

-- Each thread begins with another user, all requests are made beforehand.
function init(args)
	for user = 1, users do
		requests[user] = wrk.format(nil, nil, nil, body(user))
	end
	math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 65536)
	at = math.random(users)
end

function request()
	at = at % users + 1
	return requests[at]
end

if pause > 0 then
	function delay()
		return math.floor(math.random() * 2 * pause + 0.5)
	end
end
