#!lua flags=allow-oom
-- ARGV: how many events, how many bytes, and how many milliseconds are kept, or ''; where in the keys to look on. Lets go of some,
-- and answers whether there may be more to do, and where to look on then.
local AT_A_TIME = 500
note_trims()
local most, most_bytes, age = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local count, bytes = redis.call('XLEN', stream), tonumber(redis.call('HGET', meta, 'bytes') or 0)
local now = redis.call('TIME')
local since = age and tonumber(now[1]) * 1000 + tonumber(now[2]) / 1000 - age or 0

local function is_over(entry)
  return count > most or bytes > most_bytes or tonumber(string.match(entry[1], '^%d+')) < since
end

local more = 0
local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
if count > 1 and is_over(entries[1]) then
  -- One more than is let go of: the newest is kept, and the one after the last is where the stream begins then.
  entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', AT_A_TIME + 1)
  local gone = 0
  while gone < #entries - 1 and is_over(entries[gone + 1]) do
    gone = gone + 1
    local block, key = fields(entries[gone])
    count, bytes = count - 1, bytes - #(block or '')
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
  local scan = redis.call('HSCAN', newest_of_key, at, 'COUNT', AT_A_TIME)
  at = scan[1]
  for i = 1, #scan[2], 2 do
    local id = string.match(scan[2][i + 1], '^%S+')
    if #redis.call('XRANGE', stream, id, id) == 0 then redis.call('HDEL', newest_of_key, scan[2][i]) end
  end
end
return { more, at }
