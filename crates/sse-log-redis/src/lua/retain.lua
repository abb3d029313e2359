#!lua flags=allow-oom
-- ARGV: how many events, how many bytes, and how many milliseconds are kept, or ''; where in the keys to look on. Lets go of some,
-- and answers whether there may be more to do, and where to look on then.
note_trims()
local AT_A_TIME = at_a_time(500)
local most, most_bytes, age = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local count, bytes = redis.call('XLEN', stream), tonumber(redis.call('HGET', meta, 'bytes') or 0)
local now = redis.call('TIME')
local since = age and tonumber(now[1]) * 1000 + tonumber(now[2]) / 1000 - age or 0

-- What somebody else has left is counted anew. Until all is, the limit is compared to what has been.
local more = 0
local counting = redis.call('HMGET', meta, 'counted', 'to_count')
if counting[1] then
  local entries = redis.call('XRANGE', stream, '(' .. counting[1], counting[2], 'COUNT', AT_A_TIME)
  for _, entry in ipairs(entries) do bytes = bytes + #(fields(entry) or '') end
  redis.call('HSET', meta, 'bytes', bytes)
  if #entries < AT_A_TIME then
    redis.call('HDEL', meta, 'counted', 'to_count')
  else
    redis.call('HSET', meta, 'counted', entries[#entries][1])
    more = 1
  end
end

local function is_over(entry)
  return count > most or bytes > most_bytes or tonumber(string.match(entry[1], '^%d+')) < since
end

local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
if count > 1 and is_over(entries[1]) then
  -- One more than is let go of: the newest is kept, and the one after the last is where the stream begins then.
  entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', AT_A_TIME + 1)
  local gone = 0
  while gone < #entries - 1 and is_over(entries[gone + 1]) do
    gone = gone + 1
    local block, key = fields(entries[gone])
    count = count - 1
    if is_counted(entries[gone][1]) then bytes = bytes - #(block or '') end
    if key and is_newest_of(key, entries[gone][1]) then redis.call('HDEL', newest_of_key, key) end
  end
  local oldest = entries[gone + 1][1]
  redis.call('XTRIM', stream, 'MINID', oldest)
  redis.call('HSET', meta, 'floor', '=' .. entries[gone][1], 'oldest', oldest, 'bytes', bytes)
  if gone == AT_A_TIME then more = 1 end
end

-- Keys whose events somebody else has trimmed.
local at = ARGV[5]
if at ~= '0' or redis.call('HLEN', newest_of_key) > count then
  local scan = redis.call('HSCAN', newest_of_key, at, 'COUNT', 500)
  at = scan[1]
  for i = 1, #scan[2], 2 do
    local id = string.match(scan[2][i + 1], '^%S+')
    if #redis.call('XRANGE', stream, id, id) == 0 then redis.call('HDEL', newest_of_key, scan[2][i]) end
  end
end
return { more, at }
