-- ARGV: how many events. Answers the bounds, and the oldest of so many; '' where there are fewer.
local count, at, id = tonumber(ARGV[2]), '+', ''
if redis.call('XLEN', stream) >= count then
  local most = at_a_time(64)
  while count > 0 do
    local entries = redis.call('XREVRANGE', stream, at, '-', 'COUNT', math.min(count, most))
    if #entries == 0 then break end
    id = entries[#entries][1]
    at, count = '(' .. id, count - #entries
  end
end
return { bounds(), id }
