#!lua flags=allow-oom
-- ARGV: the epoch to be replaced. Answers the epoch there is.
if redis.call('HGET', meta, 'epoch') ~= ARGV[2] then return epoch() end
redis.call('HSET', meta, 'epoch', ARGV[1])
announce()
return ARGV[1]
