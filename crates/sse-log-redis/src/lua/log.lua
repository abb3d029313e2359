-- The functions that all scripts share. ARGV[1] is the epoch that begins if the log has none, or if its stream is lost.
local stream, meta, newest_of_key, once, topics, chunks = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local MIB = 1024 * 1024
-- The format of the keys. A log without a number is in the first. Format 2 is the first with topics: a log gets it with its first event that
-- has any, and until then versions that know only the first can use the log.
local FORMAT = 2

-- The fields of `meta`. `state` has the values that `meta` must get, `changed` those that `save` has not written yet.
local FIELDS = {
  'format', 'epoch', 'finished', 'deletions', 'floor', 'oldest', 'newest', 'count', 'bytes', 'largest', 'largest_at', 'largest_since',
  'counted', 'to_count', 'time', 'clock', 'jump', 'ages', 'aged', 'bucket', 'once_first', 'once_next', 'server', 'salt',
  'topical', 'unindexed', 'sweep', 'sweep_runs'
}
local state, changed = {}, {}
-- The number of entries of the stream, the id of the first entry, and the newest id that the stream has ever had.
local length, first, newest
-- True if the stream is gone, or lacks its newest entries: another stream, or an older one, has replaced it.
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

-- Returns true if `number` is larger than `other`. Compares text: the numbers of an id have up to 20 digits, more than a Lua number is exact for.
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

-- Returns the block, the key and the topics of an entry, a line each. An entry of another program has no block.
local function fields(entry)
  local block, key, list
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'b' then block = entry[2][i + 1] end
    if entry[2][i] == 'k' then key = entry[2][i + 1] end
    if entry[2][i] == 't' then list = entry[2][i + 1] end
  end
  return block, key, list
end

-- Notifies the followers of all processes. Redis sends the message after the script has ended.
local function notify()
  redis.pcall('SPUBLISH', stream, '')
end

local function first_entry()
  local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return entry and entry[1] or ''
end

-- Returns the newest id that the stream has given.
local function newest_given()
  if redis.call('EXISTS', stream) == 0 then return '0-0' end
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    -- `create` adds an entry of the id 0-1 to make an empty stream.
    if info[i] == 'last-generated-id' and info[i + 1] ~= '0-1' then return info[i + 1] end
  end
  return '0-0'
end

-- Reads the state of the log and of the stream, and writes nothing. Refuses a log of a later format. `XINFO` returns the whole first and last entry, so it is called only if
-- the stream has no entry at or after the newest known id.
local function read_state()
  local values = redis.call('HMGET', meta, unpack(FIELDS))
  for i, name in ipairs(FIELDS) do state[name] = values[i] or nil end
  if number('format') > FORMAT then
    error({ err = string.format(
      'LATERFORMAT the log was written by a later version of sse-log-redis, in format %s, and this version reads formats up to %d: upgrade sse-log-redis',
      state.format, FORMAT
    ) })
  end
  length = redis.call('XLEN', stream)
  local last = redis.call('XREVRANGE', stream, '+', state.newest or '0-0', 'COUNT', 1)[1]
  newest = last and last[1] or newest_given()
  is_lost = state.epoch and state.newest and is_after(state.newest, newest) or false
  local is_unchanged = not is_lost and state.newest == newest and number('count') == length
  first = is_unchanged and state.oldest or first_entry()
end

local function has_topics()
  return number('format') > 1
end

-- Makes an empty index by topic. It has no event up to `from`.
local function create_index(from)
  if redis.call('EXISTS', topics, chunks) > 0 then redis.call('UNLINK', topics, chunks) end
  redis.pcall('HSET', topics, '', '')
  redis.pcall('ZADD', chunks, 0, '')
  set('topical', from)
  set('unindexed', from)
end

-- Creates all keys. While a cluster moves a log to another node, it refuses a script that names a key that does not exist.
local function create()
  redis.pcall('HSET', newest_of_key, '', '')
  redis.pcall('HSET', once, '', '')
  if redis.call('EXISTS', stream) == 0 then
    redis.call('XADD', stream, '0-1', 'created', 1)
    redis.call('XDEL', stream, '0-1')
  end
end

-- Begins an epoch if the log has none, or if its stream is lost: the ids of lost events must not name other events. If another program has
-- trimmed the stream, `retain.lua` counts the bytes again: the entries after `counted`, up to `to_count`, are not in `bytes` yet.
-- Returns true if an epoch has begun.
local function reconcile()
  local begins = is_lost or not state.epoch
  if begins then
    create_index(newest)
    create()
    -- What the stream has already may have topics.
    if not state.epoch then set('format', newest == '0-0' and 1 or FORMAT) end
    set('epoch', ARGV[1])
  elseif not state.topical then
    -- The log is of format 1: its events have no topics, which is what the index then says.
    create_index('0-0')
  end
  if first ~= (state.oldest or '') or is_lost then
    set('floor', first ~= '' and '<' .. first or '=' .. newest)
    set('oldest', first)
    set('bytes', 0)
    set('counted', '0-0')
    set('to_count', newest)
    if has_topics() then set('sweep', '0') end
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

-- Returns what `LogState` in `log_state.rs` parses. `floor` is the position up to which entries were dropped when `oldest` became the oldest
-- entry. If `oldest` is not the oldest entry any more, another program has trimmed the stream.
local function bounds()
  return {
    state.epoch, state.finished and 1 or 0, number('deletions'), state.floor or '', state.oldest or '', first, newest,
    number('largest'), length, number('bytes')
  }
end

-- Returns the bounds, or the error of a replica: it may lose the events that it has. A replica refuses `HDEL`, which writes nothing here.
local function checked_bounds()
  read_state()
  local refused = redis.pcall('HDEL', meta, '')
  if type(refused) == 'table' and string.find(refused.err or '', '^READONLY') then return refused end
  if is_lost or not state.epoch then
    reconcile()
    save()
    notify()
  elseif not state.topical then
    -- If Redis refuses this since its memory is full, a later call does it.
    pcall(create_index, '0-0')
    pcall(save)
  end
  return bounds()
end

-- Returns true if the bytes of this entry are in `bytes`.
local function is_counted(id)
  return not state.counted or state.counted == '' or not is_after(id, state.counted) or is_after(id, state.to_count)
end

-- Returns the number of entries to read next, after `seen` entries of `bytes` bytes. Redis holds a second copy of them in memory meanwhile.
local function at_a_time(seen, bytes)
  local likely = seen > 0 and math.floor(MIB / math.max(1, bytes / seen)) or 2
  local surely = math.floor(16 * MIB / math.max(1, number('largest')))
  return math.max(1, math.min(likely, surely, 500))
end

-- Returns true if this entry is the newest of its key. `newest_of_key` has `id size` for each key.
local function is_newest_of(key, id)
  local known = redis.call('HGET', newest_of_key, key)
  return known and string.sub(known, 1, #id + 1) == id .. ' '
end
