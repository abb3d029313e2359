-- Finds the newest events that fit into a limit.
-- ARGV: the id from which to continue, the limit of events, the limit of bytes.
-- Returns the bounds; the id of the oldest event that it has counted, or '' if all events fit; the number of events that it has counted, and
-- their bytes; 1 if it has counted all that fit, or 0. A script counts some: Redis runs other commands in between.
local at, count, bytes = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local id, seen, seen_bytes, is_all = string.match(at, '[%d-]+$') or '', 0, 0, false
read_state()
local is_counted_whole = not is_lost and (state.counted or '') == '' and first == (state.oldest or '')
if at == '+' and is_counted_whole and length <= count and number('bytes') <= bytes then
  return { bounds(), '', 0, 0, 1 }
end
while not is_all and seen < 5000 and seen_bytes < MIB do
  -- Reads one entry more than the limit, which shows whether all fit.
  local n = math.min(count - seen + 1, at_a_time(seen, seen_bytes))
  local entries = redis.call('XREVRANGE', stream, at, '-', 'COUNT', n)
  for _, entry in ipairs(entries) do
    local size = #(fields(entry) or '')
    if seen == count or (id ~= '' and seen_bytes + size > bytes) then
      return { bounds(), id, seen, seen_bytes, 1 }
    end
    id, at, seen, seen_bytes = entry[1], '(' .. entry[1], seen + 1, seen_bytes + size
  end
  is_all = #entries < n
end
return { bounds(), is_all and '' or id, seen, seen_bytes, is_all and 1 or 0 }
