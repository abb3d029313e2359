-- ARGV: the id after which to begin, how many events, how many bytes. Answers the bounds, and id, block and key of each event.
local most, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local events, count, bytes, from, at_a_time = {}, 0, 0, '(' .. ARGV[2], 16

local function read()
  while count < most do
    local wanted = math.min(at_a_time, most - count)
    local entries = redis.call('XRANGE', stream, from, '+', 'COUNT', wanted)
    for _, entry in ipairs(entries) do
      local block, key = fields(entry)
      if block then
        bytes = bytes + #block
        if count > 0 and bytes > most_bytes then return end
        count = count + 1
        events[#events + 1] = entry[1]
        events[#events + 1] = block
        events[#events + 1] = key or false
      end
      from = '(' .. entry[1]
    end
    if #entries < wanted then return end
    -- What is read in vain is little: as many as are likely to fit.
    local fit = bytes > 0 and math.ceil((most_bytes - bytes) / (bytes / count)) or at_a_time
    at_a_time = math.max(1, math.min(fit + 1, at_a_time * 4))
  end
end

read()
return { bounds(), events }
