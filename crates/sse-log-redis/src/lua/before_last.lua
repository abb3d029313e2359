-- ARGV: how many events, and bytes. Answers the bounds, and the oldest of the last that fit; '' where all do, or none is asked for.
local count, bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local at, id, size, seen = '+', '', 0, 0

-- The oldest of the last entries that fit, where not all of these do.
local function oldest_of(entries)
  for _, entry in ipairs(entries) do
    local block = fields(entry)
    size, seen = size + #(block or ''), seen + 1
    if seen > count or (id ~= '' and size > bytes) then return id end
    id = entry[1]
  end
end

local found = ''
-- Without a limit of bytes the length says whether all fit.
if count > 0 and (bytes < 2 ^ 53 or redis.call('XLEN', stream) >= count) then
  local most = at_a_time(64)
  while found == '' do
    local entries = redis.call('XREVRANGE', stream, at, '-', 'COUNT', math.min(count + 1 - seen, most))
    if #entries == 0 then break end
    found = oldest_of(entries) or ''
    at = '(' .. entries[#entries][1]
  end
end
return { bounds(), found }
