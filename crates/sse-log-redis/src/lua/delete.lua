#!lua flags=allow-oom
-- ARGV: the id of the event.
look()
redis.call('HLEN', newest_of_key)
if settle() then
  -- It was an event of another life.
  save()
  announce()
  return 0
end
local entry = redis.call('XRANGE', stream, ARGV[2], ARGV[2])[1]
if entry then
  local block, key = fields(entry)
  redis.call('XDEL', stream, ARGV[2])
  if key and is_newest_of(key, ARGV[2]) then redis.call('HDEL', newest_of_key, key) end
  if is_counted(ARGV[2]) then set('bytes', number('bytes') - #(block or '')) end
  if first == ARGV[2] then set('oldest', first_entry()) end
  set('count', length - 1)
  set('deletions', number('deletions') + 1)
end
save()
if entry then announce() end
return entry and 1 or 0
