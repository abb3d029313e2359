#!lua flags=allow-oom
read_state()
local begins = reconcile()
if begins or not state.finished then
  set('finished', '1')
  save()
  notify()
end
return 1
