-- Latest prices by compare-and-set. KEYS[1]: the tenant's hash instrument -> key + content; KEYS[2]: the landed log;
-- KEYS[3]: its counters (see append.lua).
-- ARGV: width of a key, tenant, most entries of the log, and as MessagePack four arrays of equal length: instruments,
-- keys, contents, rows of the log; then an epoch, and what the log holds as values of all of them. What changed is told
-- in the log in the same moment. Keys are digits of one width, so that comparing text compares numbers (Lua's own
-- numbers round at 2^53).
-- Content is empty where an instrument has no price any more.
-- Answers one character an instrument: 0 older, 1 newer with equal content, 2 changed.
local width = tonumber(ARGV[1])
local answer, told = {}, {}
local instruments, keys, contents, rows = unpack(cmsgpack.unpack(ARGV[4]))
for i, instrument in ipairs(instruments) do
  local key, content = keys[i], contents[i]
  local stored = redis.call('HGET', KEYS[1], instrument)
  if stored and key <= string.sub(stored, 1, width) then
    answer[#answer + 1] = '0'
  else
    local before = stored and string.sub(stored, width + 1) or ''
    redis.call('HSET', KEYS[1], instrument, key .. content)
    local changed = before ~= content
    answer[#answer + 1] = changed and '2' or '1'
    if changed then told[#told + 1] = rows[i] end
  end
end
if #told > 0 then
  redis.call('HSETNX', KEYS[3], 'epoch', ARGV[5])
  local seq = redis.call('HINCRBY', KEYS[3], 'latest', 1)
  redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[3], '*',
    'seq', seq, 'tenant', ARGV[2], 'kind', 'latest', 'rows', '[' .. table.concat(told, ',') .. ']', 'values', ARGV[6])
end
return table.concat(answer)
