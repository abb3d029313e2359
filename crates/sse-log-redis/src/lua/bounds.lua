-- A replica may be about to lose what it has: it is not read. It shows by refusing to write; nothing is written here.
look()
local refused = redis.pcall('HDEL', meta, '')
if type(refused) == 'table' and string.find(refused.err or '', '^READONLY') then return refused end
if is_lost or not state.epoch then
  settle()
  save()
  announce()
end
return bounds()
