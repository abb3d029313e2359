#!lua flags=allow-oom
look()
local begins = settle()
if begins or not state.finished then
  set('finished', '1')
  save()
  announce()
end
return 1
