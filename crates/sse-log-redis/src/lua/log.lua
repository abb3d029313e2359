-- What every script begins with. ARGV[1] is the name of a new epoch, for where there is none.
local stream, meta, newest_of_key, changes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

-- The fields of an entry: its block and its key. Somebody else's entry has no block.
local function fields(entry)
  local block, key
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'b' then block = entry[2][i + 1] end
    if entry[2][i] == 'k' then key = entry[2][i + 1] end
  end
  return block, key
end

-- Wakes the followers of all processes, who wait for this stream as well. Where that fails they look by themselves, a second later.
local function announce()
  local change = redis.pcall('XADD', changes, 'MAXLEN', 1, '*', 'changed', 1)
  if not change.err then redis.call('HSET', meta, 'changes', change) end
end

local function epoch()
  local known = redis.call('HGET', meta, 'epoch')
  if known then return known end
  redis.call('HSET', meta, 'epoch', ARGV[1])
  -- Whoever waits for changes would come upon those of an earlier life again and again.
  if redis.call('EXISTS', changes) == 1 then announce() end
  return ARGV[1]
end

-- The oldest entry there is, and the newest there ever was.
local function ends()
  if redis.call('EXISTS', stream) == 0 then return '', '0-0' end
  local info, first, newest = redis.call('XINFO', 'STREAM', stream), '', '0-0'
  for i = 1, #info, 2 do
    if info[i] == 'first-entry' and info[i + 1] then first = info[i + 1][1] end
    if info[i] == 'last-generated-id' then newest = info[i + 1] end
  end
  return first, newest
end

-- `floor` is what was let go of up to when `oldest` came to be the oldest. Where it is not the oldest any more, somebody else has
-- trimmed.
local function bounds()
  local epoch = epoch()
  local m = redis.call('HMGET', meta, 'finished', 'deletions', 'changes', 'floor', 'oldest', 'largest')
  local first, newest = ends()
  return {
    epoch, m[1] and 1 or 0, tonumber(m[2] or 0), m[3] or '0-0', m[4] or '', m[5] or '', first, newest,
    tonumber(m[6] or 0)
  }
end

-- Takes note of what somebody else has trimmed. The bytes that are left are then counted anew, by `retain.lua`: those of the entries
-- after `counted`, up to `to_count`, are not in `bytes` yet.
local function note_trims()
  local oldest = redis.call('HGET', meta, 'oldest') or ''
  local first, newest = ends()
  if first ~= oldest then
    local floor = first ~= '' and '<' .. first or '=' .. newest
    redis.call('HSET', meta, 'floor', floor, 'oldest', first, 'bytes', 0, 'counted', '0-0', 'to_count', newest)
  end
end

local function is_after(id, other)
  local pattern = '^(%d+)%-(%d+)$'
  local ms, number = string.match(id, pattern)
  local other_ms, other_number = string.match(other, pattern)
  if ms ~= other_ms then return tonumber(ms) > tonumber(other_ms) end
  return tonumber(number) > tonumber(other_number)
end

-- Whether the bytes of this entry are in `bytes`.
local function is_counted(id)
  local m = redis.call('HMGET', meta, 'counted', 'to_count')
  return not m[1] or not is_after(id, m[1]) or is_after(id, m[2])
end

-- How many entries to look at, at most: all of them are in memory once more meanwhile.
local function at_a_time(most)
  local largest = tonumber(redis.call('HGET', meta, 'largest') or 0)
  return math.max(1, math.min(most, math.floor(16 * 1024 * 1024 / math.max(1, largest))))
end

-- Whether this entry is the newest of its key. `newest_of_key` has `id size`.
local function is_newest_of(key, id)
  local known = redis.call('HGET', newest_of_key, key)
  return known and string.sub(known, 1, #id + 1) == id .. ' '
end
