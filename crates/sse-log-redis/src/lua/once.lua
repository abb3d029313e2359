-- The hash `once` has the idempotency keys: the field `=key` has the event's id, the time of the append, the number of the key, and the epoch;
-- the field `#number` has the key. The numbers are at least `once_first` and less than `once_next`.
-- Returns the id of the event with this idempotency key, or false if the log does not remember the key.
local function remembered(key, window)
  local value = redis.call('HGET', once, '=' .. key)
  if not value or is_lost then return false end
  local id, at, _, epoch = string.match(value, '^(%S+) (%d+) (%d+) (%S+)$')
  return epoch == state.epoch and number('clock') - tonumber(at) <= window and id
end

local function remember(key, id)
  local at, number_of_key = string.format('%.0f', number('clock')), string.format('%.0f', number('once_next'))
  redis.call('HSET', once, '=' .. key, id .. ' ' .. at .. ' ' .. number_of_key .. ' ' .. state.epoch, '#' .. number_of_key, key)
  set('once_next', number('once_next') + 1)
end

-- Drops keys that are over the limits: those before the newest `most`, and those older than `window`; at most `at_most` of them.
-- Returns true if more may be over the limits.
local function forget(most, window, at_most)
  local oldest, next = number('once_first'), number('once_next')
  for _ = 1, at_most do
    if oldest >= next then break end
    local field = '#' .. string.format('%.0f', oldest)
    local key = redis.call('HGET', once, field)
    local value = key and redis.call('HGET', once, '=' .. key)
    local at, of = string.match(value or '', '^%S+ (%d+) (%d+) ')
    local is_its_key = of and tonumber(of) == oldest
    if is_its_key and next - oldest <= most + 1 and number('clock') - tonumber(at) <= window then break end
    redis.call('HDEL', once, field)
    if is_its_key then redis.call('HDEL', once, '=' .. key) end
    oldest = oldest + 1
    set('once_first', oldest)
    at_most = at_most - 1
  end
  return at_most == 0
end
