#!lua flags=allow-oom
-- ARGV: how long this process has not written, how long an idempotency key is remembered, how many events, how many bytes, and how many
-- milliseconds are kept, or ''; where in the keys to look on. Drops some, and answers whether there may be more to do, and where to look
-- on then.
local window, most, most_bytes, age = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
look()
local begins = settle()
tick(ARGV[2])
if age then sample(age) end

-- What somebody else has left is counted again. Until all is, the limit is compared to what has been.
local more, seen, bytes = false, 0, 0
while state.counted and state.counted ~= '' and not more do
  local n = at_a_time(seen, bytes)
  local entries = redis.call('XRANGE', stream, '(' .. state.counted, state.to_count, 'COUNT', n)
  for _, entry in ipairs(entries) do bytes = bytes + #(fields(entry) or '') end
  seen = seen + #entries
  set('counted', #entries < n and '' or entries[#entries][1])
  more = seen > 5000 or bytes > 4 * MIB
end
set('bytes', number('bytes') + bytes)

local is_enough = trim(most, most_bytes, age, function(gone, gone_bytes)
  return gone >= 5000 or gone_bytes >= 4 * MIB
end)
local remembers = forget(most, window, 1000)
save()
if begins then announce() end

-- Keys whose events somebody else has trimmed.
local at = ARGV[7]
if at ~= '0' or redis.call('HLEN', newest_of_key) > length + 1 then
  local scan = redis.call('HSCAN', newest_of_key, at, 'COUNT', 500)
  at = scan[1]
  for i = 1, #scan[2], 2 do
    local id = string.match(scan[2][i + 1], '^%S+')
    if id and #redis.call('XRANGE', stream, id, id) == 0 then redis.call('HDEL', newest_of_key, scan[2][i]) end
  end
end
return { (more or is_enough or remembers) and 1 or 0, at }
