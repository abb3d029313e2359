#!lua flags=allow-oom
-- Replaces an epoch.
-- ARGV: the epoch to replace.
-- Returns the epoch of the log.
read_state()
local begins = reconcile()
if not begins and state.epoch == ARGV[2] then
  set('epoch', ARGV[1])
  begins = true
end
save()
if begins then notify() end
return state.epoch
