-- Finds the newest event that is older than an age. The ids of events have the times of the server.
-- ARGV: the milliseconds since this process last wrote, or ''; the age in milliseconds.
-- Returns the bounds, and the id of the event, or '' if there is none.
local checked = checked_bounds()
if checked.err then return checked end
local now = server_time()
if state.time then now = number('time') + passed(now, ARGV[2]) end
local since = now - tonumber(ARGV[3])
local at, ahead = string.match(state.jump or '', '^(%d+) (%d+)$')
-- The ids before the jump look older than they are.
if at and tonumber(at) > since then since = since - tonumber(ahead) end
local older = since > 0 and redis.call('XREVRANGE', stream, string.format('(%.0f-0', since), '-', 'COUNT', 1)[1]
return { checked, older and older[1] or '' }
