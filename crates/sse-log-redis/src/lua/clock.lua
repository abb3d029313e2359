-- Advances the time of the log, in milliseconds. The server's clock may jump, so it is limited: the log was last written to at most `elapsed`
-- ago, which is the time since this process wrote to it, by a clock that does not jump; '' if this process has not written.
local function advance_clock(elapsed)
  local now = redis.call('TIME')
  local ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
  local passed = state.time and math.max(0, ms - number('time')) or 0
  if elapsed ~= '' then passed = math.min(passed, tonumber(elapsed)) end
  set('time', ms)
  set('clock', number('clock') + passed)
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
