-- Entries of the landed log. KEYS[1]: the log; KEYS[2]: its counters: the last number of each kind, and the epoch, which
-- whoever writes first to an empty Redis names; KEYS[3], KEYS[4]: what was told of late, by name: now and the while before.
-- ARGV: an epoch, most entries, the oldest millisecond that is kept, seconds that KEYS[3] lives, and as MessagePack the
-- entries, each an array: tenant, kind, and of each change in arrays of equal length: its name, its order, its row; then
-- the values of each entry. An order is the version in 20 digits and what else tells contents apart; it may be empty. What is older than, or
-- equal to, what was told of late is not told.
redis.call('HSETNX', KEYS[2], 'epoch', ARGV[1])
for n, entry in ipairs(cmsgpack.unpack(ARGV[5])) do
  local tenant, kind, names, orders, rows = unpack(entry)
  local told = {}
  for i, order in ipairs(orders) do
    local name = names[i]
    local held = order ~= '' and (redis.call('HGET', KEYS[3], name) or redis.call('HGET', KEYS[4], name))
    if not held or (held ~= order and string.sub(held, 1, 20) <= string.sub(order, 1, 20)) then
      told[#told + 1] = rows[i]
      if order ~= '' then redis.call('HSET', KEYS[3], name, order) end
    end
  end
  if #told > 0 then
    local seq = redis.call('HINCRBY', KEYS[2], kind, 1)
    redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[2], '*', 'seq', seq, 'tenant', tenant, 'kind', kind,
      'rows', '[' .. table.concat(told, ',') .. ']', 'values', ARGV[5 + n])
  end
end
redis.call('EXPIRE', KEYS[3], ARGV[4])
redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[3])
return 1
