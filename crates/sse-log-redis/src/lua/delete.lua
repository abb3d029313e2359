#!lua flags=allow-oom
-- Deletes an event.
-- ARGV: the id of the event.
-- Returns 1 if it has deleted an event, or 0.
read_state()
redis.call('HLEN', newest_of_key)
if reconcile() then
  -- The event was of another epoch.
  save()
  notify()
  return 0
end
local entry = redis.call('XRANGE', stream, ARGV[2], ARGV[2])[1]
if entry then
  local block, key, list = fields(entry)
  redis.call('XDEL', stream, ARGV[2])
  if key and is_newest_of(key, ARGV[2]) then redis.call('HDEL', newest_of_key, key) end
  if is_counted(ARGV[2]) then set('bytes', number('bytes') - #(block or '')) end
  if first == ARGV[2] then set('oldest', first_entry()) end
  set('count', length - 1)
  set('deletions', number('deletions') + 1)
  unindex_event(list, ARGV[2])
  pcall(save_index)
end
save()
if entry then notify() end
return entry and 1 or 0
