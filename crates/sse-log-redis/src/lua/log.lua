-- What every script begins with. ARGV[1] is the name of a new epoch, for when one must begin.
local stream, meta, newest_of_key, once = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local MIB = 1024 * 1024

-- What `meta` holds: `state` is what it is to hold, `changed` the fields that are still to be written.
local FIELDS = {
  'epoch', 'finished', 'deletions', 'floor', 'oldest', 'newest', 'count', 'bytes', 'largest', 'largest_at', 'largest_since',
  'counted', 'to_count', 'time', 'clock', 'ages', 'aged', 'bucket', 'once_first', 'once_next'
}
local state, changed = {}, {}
-- What the stream is like: how many entries, the first of them, and the newest there ever was.
local length, first, newest
-- Whether the stream is gone, or lacks its end: another one, or an older one, is in its place.
local is_lost

local function set(name, value)
  if type(value) == 'number' then value = string.format('%.0f', value) end
  if state[name] ~= value then
    state[name], changed[name] = value, value
  end
end

local function number(name)
  return tonumber(state[name] or 0)
end

local function save()
  local fields = {}
  for name, value in pairs(changed) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  changed = {}
  if #fields > 0 then redis.call('HSET', meta, unpack(fields)) end
end

-- The numbers of an id have up to 20 digits, more than Lua reckons with.
local function is_larger(number, other)
  if #number ~= #other then return #number > #other end
  return number > other
end

local function is_after(id, other)
  local pattern = '^(%d+)%-(%d+)$'
  local ms, number = string.match(id, pattern)
  local other_ms, other_number = string.match(other, pattern)
  if ms ~= other_ms then return is_larger(ms, other_ms) end
  return is_larger(number, other_number)
end

-- The fields of an entry: its block and its key. Somebody else's entry has no block.
local function fields(entry)
  local block, key
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'b' then block = entry[2][i + 1] end
    if entry[2][i] == 'k' then key = entry[2][i + 1] end
  end
  return block, key
end

-- Wakes the followers of all processes. It is sent once the script has ended.
local function announce()
  redis.pcall('SPUBLISH', stream, '')
end

local function first_entry()
  local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return entry and entry[1] or ''
end

-- The newest id the stream has given.
local function newest_given()
  if redis.call('EXISTS', stream) == 0 then return '0-0' end
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    -- `create` makes an empty stream by an entry of that id.
    if info[i] == 'last-generated-id' and info[i + 1] ~= '0-1' then return info[i + 1] end
  end
  return '0-0'
end

-- Reads all that there is to know, and writes nothing. `XINFO` would give the first and the last entry whole: it is asked only where
-- the newest entry is not the one that was there.
local function look()
  local values = redis.call('HMGET', meta, unpack(FIELDS))
  for i, name in ipairs(FIELDS) do state[name] = values[i] or nil end
  length = redis.call('XLEN', stream)
  local last = redis.call('XREVRANGE', stream, '+', state.newest or '0-0', 'COUNT', 1)[1]
  newest = last and last[1] or newest_given()
  is_lost = state.epoch and state.newest and is_after(state.newest, newest) or false
  local is_as_it_was = not is_lost and state.newest == newest and number('count') == length
  first = is_as_it_was and state.oldest or first_entry()
end

-- A cluster that moves a log to another node refuses a script that names a key that does not exist: all of them do from the beginning.
local function create()
  redis.pcall('HSET', newest_of_key, '', '')
  redis.pcall('HSET', once, '', '')
  if redis.call('EXISTS', stream) == 0 then
    redis.call('XADD', stream, '0-1', 'created', 1)
    redis.call('XDEL', stream, '0-1')
  end
end

-- Begins an epoch where there is none, or where the stream is not what it was: ids of what is lost must not come to name others. Takes
-- note of what somebody else has trimmed: the bytes that are left are then counted again, by `retain.lua`: those of the entries after
-- `counted`, up to `to_count`, are not in `bytes` yet. Answers whether an epoch has begun.
local function settle()
  local begins = is_lost or not state.epoch
  if begins then
    create()
    set('epoch', ARGV[1])
  end
  if first ~= (state.oldest or '') or is_lost then
    set('floor', first ~= '' and '<' .. first or '=' .. newest)
    set('oldest', first)
    set('bytes', 0)
    set('counted', '0-0')
    set('to_count', newest)
  end
  if is_lost then
    set('ages', '')
    set('aged', '0-0')
    set('largest_at', newest)
  end
  set('newest', newest)
  set('count', length)
  is_lost = false
  return begins
end

-- What `State` in `bounds.rs` reads. `floor` is what was dropped up to when `oldest` came to be the oldest. Where it is not the oldest any
-- more, somebody else has trimmed.
local function bounds()
  return {
    state.epoch, state.finished and 1 or 0, number('deletions'), state.floor or '', state.oldest or '', first, newest,
    number('largest'), length, number('bytes')
  }
end

-- Whether the bytes of this entry are in `bytes`.
local function is_counted(id)
  return not state.counted or state.counted == '' or not is_after(id, state.counted) or is_after(id, state.to_count)
end

-- How many entries to look at next, after so many of so many bytes: all of them are in memory once more meanwhile.
local function at_a_time(seen, bytes)
  local likely = seen > 0 and math.floor(MIB / math.max(1, bytes / seen)) or 2
  local surely = math.floor(16 * MIB / math.max(1, number('largest')))
  return math.max(1, math.min(likely, surely, 500))
end

-- Whether this entry is the newest of its key. `newest_of_key` has `id size`.
local function is_newest_of(key, id)
  local known = redis.call('HGET', newest_of_key, key)
  return known and string.sub(known, 1, #id + 1) == id .. ' '
end
