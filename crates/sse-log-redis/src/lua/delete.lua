#!lua flags=allow-oom
-- ARGV: the id of the event.
note_trims()
local entry = redis.call('XRANGE', stream, ARGV[2], ARGV[2])[1]
if not entry then return 0 end
local block, key = fields(entry)
redis.call('XDEL', stream, ARGV[2])
if key and is_newest_of(key, ARGV[2]) then redis.call('HDEL', newest_of_key, key) end
local bytes = tonumber(redis.call('HGET', meta, 'bytes') or 0)
if is_counted(ARGV[2]) then bytes = bytes - #(block or '') end
redis.call('HSET', meta, 'bytes', bytes, 'oldest', (ends()))
redis.call('HINCRBY', meta, 'deletions', 1)
announce()
return 1
