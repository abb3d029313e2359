-- Returns the bounds.
-- A replica may lose the events that it has, so this refuses to read one. A replica refuses `HDEL`, which writes nothing here.
read_state()
local refused = redis.pcall('HDEL', meta, '')
if type(refused) == 'table' and string.find(refused.err or '', '^READONLY') then return refused end
if is_lost or not state.epoch then
  reconcile()
  save()
  notify()
end
return bounds()
