#!lua flags=allow-oom
-- ARGV: the epoch to be replaced. Answers the epoch there is.
look()
local begins = settle()
if not begins and state.epoch == ARGV[2] then
  set('epoch', ARGV[1])
  begins = true
end
save()
if begins then announce() end
return state.epoch
