-- Jumps ahead of the server's clock that are shorter are not noted, since a call may be under way for some time.
local SHORT_JUMP = 5000

-- Returns the time of the server's clock, in milliseconds.
local function server_time()
  local now = redis.call('TIME')
  return tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
end

-- Returns the milliseconds since the log was last written to. The server's clock may jump, so they are limited: the log was last written to at most
-- `elapsed` ago, which is the time since this process wrote to it, by a clock that does not jump; '' if this process has not written.
local function passed(ms, elapsed)
  local most = state.time and math.max(0, ms - number('time')) or 0
  if elapsed ~= '' then most = math.min(most, tonumber(elapsed)) end
  return most
end

-- Advances the time of the log, in milliseconds. Notes a jump ahead: the time of the first write after it, and the milliseconds of all jumps.
local function advance_clock(elapsed)
  local ms = server_time()
  local since = passed(ms, elapsed)
  local ahead = state.time and ms - number('time') - since or 0
  if ahead > SHORT_JUMP then
    local before = string.match(state.jump or '', ' (%d+)$')
    set('jump', string.format('%.0f %.0f', ms, ahead + tonumber(before or 0)))
  end
  set('time', ms)
  set('clock', number('clock') + since)
end

-- Adds a sample, `time id;`: the newest id at that time. It adds one each time that a 64th of the age has passed.
local function add_sample(age)
  if number('clock') < number('bucket') then return end
  local ages, step = state.ages or '', math.max(1, math.floor(age / 64))
  local sampled = string.match(ages, ' (%S+);$') or state.aged or '0-0'
  if state.bucket and is_after(state.newest, sampled) and #ages < 16384 then
    set('ages', ages .. state.bucket .. ' ' .. state.newest .. ';')
  end
  set('bucket', (math.floor(number('clock') / step) + 1) * step)
end

-- Returns the id of the newest entry that is older than `age`.
local function newest_aged(age)
  local ages = state.ages or ''
  while true do
    local at, id, rest = string.match(ages, '^(%d+) ([%d-]+);(.*)$')
    if not at or number('clock') - tonumber(at) < age then break end
    set('aged', id)
    ages = rest
  end
  set('ages', ages)
  return state.aged or '0-0'
end

-- Returns the milliseconds until an entry can be too old, as text; '' if the newest entry is the only one. The next sample has the time
-- `bucket`, whenever it is added.
local function grows_old_in(age)
  if length < 2 then return '' end
  local oldest = string.match(state.ages or '', '^(%d+) ') or number('bucket')
  return string.format('%.0f', math.max(0, math.min(2 ^ 53, tonumber(oldest) + age - number('clock'))))
end
