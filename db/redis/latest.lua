-- Latest prices by compare-and-set. KEYS[1]: the tenant's hash instrument -> key + content.
-- ARGV: width of a key, then (instrument, key, content) again and again. Keys are digits of one width, so that
-- comparing text compares numbers (Lua's own numbers round at 2^53).
-- Content is empty where an instrument has no price any more.
-- Answers one character an instrument: 0 older, 1 newer with equal content, 2 changed.
local width = tonumber(ARGV[1])
local answer = {}
for i = 2, #ARGV, 3 do
  local instrument, key, content = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local stored = redis.call('HGET', KEYS[1], instrument)
  if stored and key <= string.sub(stored, 1, width) then
    answer[#answer + 1] = '0'
  else
    local before = stored and string.sub(stored, width + 1) or ''
    redis.call('HSET', KEYS[1], instrument, key .. content)
    answer[#answer + 1] = before == content and '1' or '2'
  end
end
return table.concat(answer)
