#!lua flags=allow-oom
-- Drops some of the events and keys that are over the limits.
-- ARGV: the milliseconds since this process last wrote, or ''; the window of idempotency keys in milliseconds; the limits of events, of bytes,
-- and of age in milliseconds or ''; the position from which to scan the keys.
-- Returns 1 if more may be over the limits, or 0; the position from which to scan the keys next; and the milliseconds until an entry can be too
-- old, or '' if none can be.
local RUNS_IN_A_CHUNK = 32

-- Drops the runs of events without topics that have no event any more, since all were superseded or deleted. It begins if there are clearly
-- more runs than events, and looks at a few chunks at a time. Returns true if it has not looked at all.
local function sweep_runs()
  local from = state.sweep_runs or ''
  if from == '' then
    local most = math.floor(length / RUNS_IN_A_CHUNK) + 3
    if #redis.call('ZRANGE', chunks, '[\0', '(\1', 'BYLEX', 'LIMIT', most, 1) == 0 then return false end
    from = '[\0'
  end
  local few = math.max(1, math.min(8, math.floor(4 * MIB / RUNS_IN_A_CHUNK / math.max(1, number('largest')))))
  local found = redis.call('ZRANGE', chunks, from, '(\1', 'BYLEX', 'LIMIT', 0, few)
  local kept, last = '', nil
  local function write()
    if kept ~= '' then redis.call('ZADD', chunks, 0, '\0' .. kept) end
    kept = ''
  end
  for _, chunk in ipairs(found) do
    redis.call('ZREM', chunks, chunk)
    local at = 2
    while at <= #chunk do
      local next = next_entry('', chunk, at)
      last = id_at(chunk, at)
      if #redis.call('XRANGE', stream, '(' .. id_at(chunk, next_entry('run', chunk, at)), last, 'COUNT', 1) > 0 then
        if #kept + next - at >= CHUNK_BYTES then write() end
        kept = kept .. string.sub(chunk, at, next - 1)
      end
      at = next
    end
  end
  write()
  local is_left = #found == few
  set('sweep_runs', is_left and '(\0' .. packed(last) .. '\255' or '')
  return is_left
end

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

-- Drops the positions of events that another program has trimmed.
if (state.sweep or '') ~= '' then
  local scan = redis.call('HSCAN', topics, state.sweep, 'COUNT', 200)
  for i = 1, #scan[2], 2 do drop_chunks(scan[2][i], first) end
  set('sweep', scan[1] == '0' and '' or scan[1])
end
local has_runs = has_topics() and sweep_runs()
save_index()
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
local is_left = more or is_enough or remembers or has_runs or (state.sweep or '') ~= ''
return { is_left and 1 or 0, at, age and grows_old_in(age) or '' }
