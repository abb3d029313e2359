#!lua flags=allow-oom
-- Drops some of the events and keys that are over the limits.
-- ARGV: the milliseconds since this process last wrote, or ''; the window of idempotency keys in milliseconds; the limits of events, of bytes,
-- and of age in milliseconds or ''; the position from which to scan the keys.
-- Returns 1 if more may be over the limits, or 0; the position from which to scan the keys next; and the milliseconds until an entry can be too
-- old, or '' if none can be.
local window, most, most_bytes, age = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
read_state()
local begins = reconcile()
advance_clock(ARGV[2])
if age then add_sample(age) end

-- After another program has trimmed, counts the bytes again. Until it has counted all entries, it compares the limit to those counted so far.
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

local is_enough = trim(most, most_bytes, age, function(dropped, dropped_bytes)
  return dropped >= 5000 or dropped_bytes >= 4 * MIB
end)
local remembers = forget(most, window, 1000)
save()
if begins then notify() end

-- Drops the keys whose events another program has trimmed.
local at = ARGV[7]
if at ~= '0' or redis.call('HLEN', newest_of_key) > length + 1 then
  local scan = redis.call('HSCAN', newest_of_key, at, 'COUNT', 500)
  at = scan[1]
  for i = 1, #scan[2], 2 do
    local id = string.match(scan[2][i + 1], '^%S+')
    if id and #redis.call('XRANGE', stream, id, id) == 0 then redis.call('HDEL', newest_of_key, scan[2][i]) end
  end
end
return { (more or is_enough or remembers) and 1 or 0, at, age and grows_old_in(age) or '' }
