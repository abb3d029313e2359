-- The index by topic. The hash `topics` has the newest positions of each topic, and the sorted set `chunks` has the positions before them: a
-- member is the topic, a zero, and up to 512 bytes of positions, so that the members of a topic are in the order of their first positions.
-- The topic '' has the events without topics, as runs: the events after one that has topics, up to the one before the next that has. So an
-- append without topics writes nothing here. The events after `topical` are the last run, and events up to `unindexed` are not in the index.
--
-- A position is its two numbers, each with its length, as text that Redis can compare; a run is its last position and the position before its
-- first. A value of `topics` is '1' if `chunks` has older positions or '0', the newest, and the others in order. Never compare these texts
-- with `<`, which depends on the server's locale.
local CHUNK_BYTES = 512

local function packed_number(digits)
  local number = tonumber(digits)
  if number >= 2 ^ 53 then return string.char(#digits) .. digits end
  local bytes = string.gsub(struct.pack('>I8', number), '^%z+', '')
  return string.char(#bytes) .. bytes
end

local function packed(id)
  local ms, count = string.match(id, '^(%d+)%-(%d+)$')
  return packed_number(ms) .. packed_number(count)
end

local function number_at(value, at)
  local length = string.byte(value, at)
  if length > 8 then return string.sub(value, at + 1, at + length) end
  return length == 0 and '0' or string.format('%.0f', (struct.unpack('>I' .. length, value, at + 1)))
end

-- Returns the id of the position that begins here.
local function id_at(value, at)
  return number_at(value, at) .. '-' .. number_at(value, at + 1 + string.byte(value, at))
end

-- Returns where the next entry begins.
local function next_entry(topic, value, at)
  for _ = 1, topic == '' and 4 or 2 do at = at + 1 + string.byte(value, at) end
  return at
end

-- The values of `topics` that this script has read or changed, and the topics of those that `save_index` must write.
local newest_chunks, changed_topics = {}, {}

local function newest_chunk(topic)
  newest_chunks[topic] = newest_chunks[topic] or redis.call('HGET', topics, topic) or ''
  return newest_chunks[topic]
end

local function set_chunk(topic, value)
  newest_chunks[topic], changed_topics[topic] = value, true
end

local function save_index()
  for topic in pairs(changed_topics) do
    if newest_chunks[topic] == '' and topic ~= '' then
      redis.call('HDEL', topics, topic)
    else
      redis.call('HSET', topics, topic, newest_chunks[topic])
    end
  end
  changed_topics = {}
end

-- Returns the entries of a value of `topics`, in order.
local function in_order(topic, value)
  if value == '' then return '' end
  local others = next_entry(topic, value, 2)
  return string.sub(value, others) .. string.sub(value, 2, others - 1)
end

local function add_to_index(topic, entry)
  local value = newest_chunk(topic)
  if #value + #entry > CHUNK_BYTES then
    redis.call('ZADD', chunks, 0, topic .. '\0' .. in_order(topic, value))
    set_chunk(topic, '1' .. entry)
  else
    local has_older = value == '' and '0' or string.sub(value, 1, 1)
    set_chunk(topic, has_older .. entry .. in_order(topic, value))
  end
end

-- Returns the newest chunk of a topic in `chunks` that begins at or before this position, which is packed.
local function chunk_at(topic, position)
  local from = '[' .. topic .. '\0' .. position .. '\255'
  return redis.call('ZRANGE', chunks, from, '[' .. topic .. '\0', 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
end

-- Returns the entries without this one.
local function without(topic, entries, entry)
  local at = 1
  while at <= #entries do
    local next = next_entry(topic, entries, at)
    if string.sub(entries, at, next - 1) == entry then
      return string.sub(entries, 1, at - 1) .. string.sub(entries, next)
    end
    at = next
  end
  return entries
end

-- Makes these entries the newest of a topic. If there are none, those before them become the newest.
local function set_newest(topic, has_older, entries)
  if entries == '' and has_older == '1' then
    local older = chunk_at(topic, '\255')
    if older then
      redis.call('ZREM', chunks, older)
      entries = string.sub(older, #topic + 2)
    end
  end
  if entries == '' then return set_chunk(topic, '') end
  local last, next = 1, next_entry(topic, entries, 1)
  while next <= #entries do
    last, next = next, next_entry(topic, entries, next)
  end
  set_chunk(topic, has_older .. string.sub(entries, last) .. string.sub(entries, 1, last - 1))
end

-- Removes the entry of an event that was deleted or superseded.
local function remove_from_index(topic, id)
  local value, entry = newest_chunk(topic), packed(id)
  if value == '' then return end
  local has_older, entries = string.sub(value, 1, 1), in_order(topic, value)
  local left = without(topic, entries, entry)
  if left ~= entries then return set_newest(topic, has_older, left) end
  local older = has_older == '1' and chunk_at(topic, entry)
  if not older then return end
  left = without(topic, string.sub(older, #topic + 2), entry)
  if #left + #topic + 1 == #older then return end
  redis.call('ZREM', chunks, older)
  if left ~= '' then redis.call('ZADD', chunks, 0, topic .. '\0' .. left) end
end

-- Drops the chunks of a topic that have no event at or after `kept`, the first entry; all chunks if `kept` is ''. So at most 63 entries remain
-- of events that are gone.
local function drop_chunks(topic, kept)
  local value = newest_chunk(topic)
  if value == '' then return end
  local has_older, others = string.sub(value, 1, 1), next_entry(topic, value, 2)
  local oldest = others > #value and 2 or others
  if kept == '' or is_after(kept, id_at(value, 2)) then
    value = ''
  elseif has_older == '0' then
    return
  elseif is_after(id_at(value, oldest), kept) then
    local first = chunk_at(topic, packed(kept))
    if first then redis.call('ZREMRANGEBYLEX', chunks, '[' .. topic .. '\0', '(' .. first) end
    return
  else
    value = '0' .. string.sub(value, 2)
  end
  if has_older == '1' then redis.call('ZREMRANGEBYLEX', chunks, '[' .. topic .. '\0', '(' .. topic .. '\1') end
  set_chunk(topic, value)
end

-- Calls a function with each topic of an entry. `list` is its field `t`.
local function each_topic(list, call)
  for topic in string.gmatch(list or '', '[^\n]+') do call(topic) end
end

-- Adds an event to the index. The event that was the newest before it ends a run, if it has no topics.
local function index_event(list, id, before)
  local entry = packed(id)
  if is_after(before, state.topical) then add_to_index('', packed(before) .. packed(state.topical)) end
  each_topic(list, function(topic) add_to_index(topic, entry) end)
  set('topical', id)
end

-- Removes an event from the index. If another program has put other types in its place, the entries stay.
local function unindex_event(list, id)
  each_topic(list, function(topic) pcall(remove_from_index, topic, id) end)
end
