-- A range of one partition whose ticks have landed: what of it was told before is not told again.
-- KEYS[1]: the landed log; KEYS[2]: its counters; KEYS[3]: of each partition which offsets were told, as MessagePack
-- [first, next, first, next, …], growing, none touching the next.
-- ARGV: an epoch, most entries, the oldest millisecond that is kept, the partition's field, first, next, and as
-- MessagePack of each tenant an array: tenant, the lowest and the highest instant of its ticks.
-- Answers how many ranges were told.
redis.call('HSETNX', KEYS[2], 'epoch', ARGV[1])
local held = redis.call('HGET', KEYS[3], ARGV[4])
local told = held and cmsgpack.unpack(held) or {}
local first, next = tonumber(ARGV[5]), tonumber(ARGV[6])
local fresh, merged, at = {}, {}, first
local low, high = first, next
for i = 1, #told, 2 do
  local a, b = told[i], told[i + 1]
  if b < first then
    merged[#merged + 1], merged[#merged + 2] = a, b
  elseif a <= next then
    if a > at then fresh[#fresh + 1] = { at, math.min(a, next) } end
    at = math.max(at, b)
    low, high = math.min(low, a), math.max(high, b)
  end
end
if at < next then fresh[#fresh + 1] = { at, next } end
if #fresh == 0 then return 0 end
merged[#merged + 1], merged[#merged + 2] = low, high
for i = 1, #told, 2 do
  if told[i] > next then merged[#merged + 1], merged[#merged + 2] = told[i], told[i + 1] end
end
redis.call('HSET', KEYS[3], ARGV[4], cmsgpack.pack(merged))
for _, range in ipairs(fresh) do
  for _, of in ipairs(cmsgpack.unpack(ARGV[7])) do
    local seq = redis.call('HINCRBY', KEYS[2], 'tick', 1)
    redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[2], '*', 'seq', seq, 'tenant', of[1], 'kind', 'tick',
      'rows', string.format('["%s",%.0f,%.0f,%s,%s]', ARGV[4], range[1], range[2], of[2], of[3]), 'values', '')
  end
end
redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[3])
return #fresh
