-- Finds the positions of events by their topics.
-- ARGV: the id after which to look; the number of chunks of a topic to return at most; '1' to find events without topics, or ''; the topics.
-- Returns the bounds; 1 if the index has all events after the id, or 0; the id of the newest event with topics; and for each topic that has any
-- positions in the index after the id, with those without topics first: 1 if there are more, or 0, and the positions as `topics.lua` has them.
-- Some of the positions may be of events that are gone, or before the id.
local known, after, most = checked_bounds(), ARGV[2], tonumber(ARGV[3])
if known.err then return known end
local is_complete = not is_after(state.unindexed or '0-0', after) and redis.call('EXISTS', topics, chunks) == 2
if not is_complete then return { known, 0, '0-0', {} } end

local wanted = { '' }
for i = 5, #ARGV do wanted[#wanted + 1] = ARGV[i] end
local position = packed(after)
-- Most topics have nothing new: if the lengths of the milliseconds are equal, they show it.
local length, ms = string.byte(position), nil
if length <= 6 then ms = struct.unpack('>I' .. length, position, 2) end
local function is_later(value, at)
  if ms and string.byte(value, at) == length then
    local other = struct.unpack('>I' .. length, value, at + 1)
    if other ~= ms then return other > ms end
  end
  return is_after(id_at(value, at), after)
end

local lists = {}
local function add_list(topic, value)
  local others = next_entry(topic, value, 2)
  if not is_later(value, 2) then return end
  local parts, is_cut = {}, 0
  if string.sub(value, 1, 1) == '1' and is_later(value, others > #value and 2 or others) then
    parts = { chunk_at(topic, position) }
    local from = '(' .. topic .. '\0' .. position .. '\255'
    local later = redis.call('ZRANGE', chunks, from, '(' .. topic .. '\1', 'BYLEX', 'LIMIT', 0, most)
    if #later == most then is_cut = 1 end
    for _, chunk in ipairs(later) do parts[#parts + 1] = chunk end
    for i, chunk in ipairs(parts) do parts[i] = string.sub(chunk, #topic + 2) end
  end
  if is_cut == 0 then parts[#parts + 1] = in_order(topic, value) end
  lists[#lists + 1] = { topic == '' and 1 or 0, is_cut, table.concat(parts) }
end
for i, value in ipairs(redis.call('HMGET', topics, unpack(wanted))) do
  if value and value ~= '' and (i > 1 or ARGV[4] == '1') then add_list(wanted[i], value) end
end
return { known, 1, state.topical, lists }
