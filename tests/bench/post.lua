-- post: what wrk sends: the evaluation of a prompt that makes the body
-- IMS_BODY_BYTES long (1024), with the key IMS_KEY; with IMS_DELAY_MS, a pause
-- of that length on average between two requests of a connection.

local bytes = tonumber(os.getenv("IMS_BODY_BYTES") or "1024")
local pause = tonumber(os.getenv("IMS_DELAY_MS") or "0")
local head = '{"model_id":"gpt-4o-mini","user_id":"bench",' ..
    '"correlation_id":"bench","max_output_tokens":256,"messages":' ..
    '[{"role":"user","content":"'
local tail = '"}]}'
local text = "Please summarise the minutes of the meeting in five lines. "
local room = bytes - #head - #tail

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("IMS_KEY") or "")
wrk.body = head .. string.rep(text, math.ceil(room / #text)):sub(1, room) .. tail

if pause > 0 then
	function delay()
		return math.floor(math.random() * 2 * pause + 0.5)
	end
end
