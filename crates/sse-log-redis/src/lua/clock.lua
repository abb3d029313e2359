-- The time of the log: milliseconds that have passed, as far as anybody knows. The server's clock may jump; but no more has passed since the
-- log was last written to than since this process wrote to it: `elapsed`, by a clock that does not jump, or '' if it never has.
local function tick(elapsed)
  local now = redis.call('TIME')
  local ms = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
  local passed = state.time and math.max(0, ms - number('time')) or 0
  if elapsed ~= '' then passed = math.min(passed, tonumber(elapsed)) end
  set('time', ms)
  set('clock', number('clock') + passed)
end

-- Ages go by samples, `time id;`: what there was when a 64th of the age had passed again.
local function sample(age)
  if number('clock') < number('bucket') then return end
  local ages, step = state.ages or '', math.max(1, math.floor(age / 64))
  local sampled = string.match(ages, ' (%S+);$') or state.aged or '0-0'
  if state.bucket and is_after(state.newest, sampled) and #ages < 16384 then
    set('ages', ages .. state.bucket .. ' ' .. state.newest .. ';')
  end
  set('bucket', (math.floor(number('clock') / step) + 1) * step)
end

-- The newest entry that is older than this.
local function aged(age)
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
