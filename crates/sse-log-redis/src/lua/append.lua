-- Appends events, and drops those that are then over the limits. If `ends`, the log is then finished: both scripts begin with that line.
-- ARGV: the milliseconds since this process last wrote, or ''; the window of idempotency keys in milliseconds; the limits of events, of bytes,
-- and of age in milliseconds or ''; the id of the server's process, or '' if this user may not read it; then for each event its block, its key or '', its idempotency key or '', and its
-- topics, a line each.
-- Returns the epoch and the ids; nothing if the log is finished.
local window, most, most_bytes, age = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
read_state()
ends = ends and not state.finished
advance_clock(ARGV[2])
notice_server(ARGV[7])
local is_keyed, is_new, is_once, is_topical = false, false, false, false
for i = 8, #ARGV, 4 do
  is_keyed = is_keyed or ARGV[i + 1] ~= ''
  is_once = is_once or ARGV[i + 2] ~= ''
  is_topical = is_topical or ARGV[i + 3] ~= ''
  is_new = is_new or ARGV[i + 2] == '' or not remembered(ARGV[i + 2], window)
end
if state.finished and is_new then return false end

-- Checks before the first write all that would fail halfway: the types of the keys, and the commands that the user may run, that of trim.lua
-- among them.
if is_keyed then redis.call('HLEN', newest_of_key) end
if is_once then redis.call('HLEN', once) end
if is_topical then
  redis.call('HLEN', topics)
  redis.call('ZRANGE', chunks, '-', '-', 'BYLEX')
end
local needed = { { 'XADD', stream, '*', 'b', '' }, { 'HSET', meta, 'oldest', '' }, { 'SPUBLISH', stream, '' } }
if is_keyed then needed[#needed + 1] = { 'XDEL', stream, '0-1' } end
if is_once then needed[#needed + 1] = { 'HDEL', once, '' } end
if is_topical or has_topics() and is_keyed then
  for _, command in ipairs({
    { 'HDEL', topics, '' }, { 'UNLINK', topics }, { 'ZADD', chunks, 0, '' }, { 'ZRANGE', chunks, '-', '+', 'BYLEX' }, { 'ZREM', chunks, '' },
    { 'ZREMRANGEBYLEX', chunks, '-', '+' }
  }) do needed[#needed + 1] = command end
end
if length >= most then needed[#needed + 1] = { 'XTRIM', stream, 'MINID', '0-1' } end
for _, command in ipairs(is_new and needed or {}) do
  if not redis.acl_check_cmd(unpack(command)) then
    return redis.error_reply('NOPERM this user may not run ' .. command[1])
  end
end

if is_new or ends then reconcile() end
if is_new and is_topical then
  -- Another program has removed the index: it has only what comes from here on.
  if redis.call('EXISTS', topics, chunks) < 2 then create_index(has_topics() and newest or '0-0') end
  set('format', FORMAT)
end
if age and is_new then add_sample(age) end
local answer, added, added_bytes = { state.epoch }, 0, 0

-- Drops the event that had this key before: a key has one event.
local function supersede(key, id, size, list)
  local known = redis.call('HGET', newest_of_key, key)
  redis.call('HSET', newest_of_key, key, id .. ' ' .. size .. (list ~= '' and ' t' or ''))
  if not known then return end
  local old, old_size, has_list = string.match(known, '^(%S+) (%d+)( ?t?)$')
  if has_list == ' t' then
    local entry = redis.call('XRANGE', stream, old, old)[1]
    if entry then unindex_event(select(3, fields(entry)), old) end
  end
  if redis.call('XDEL', stream, old) == 1 then
    length = length - 1
    if is_counted(old) then set('bytes', number('bytes') - tonumber(old_size)) end
    if old == first then first = first_entry() end
  end
end

local function add(block, key, list)
  local entry = { 'b', block }
  if key ~= '' then entry = { 'b', block, 'k', key } end
  if list ~= '' then
    entry[#entry + 1] = 't'
    entry[#entry + 1] = list
  end
  local id = add_entry(entry)
  if list ~= '' then index_event(list, id, newest) end
  added, added_bytes, length, newest = added + 1, added_bytes + #block, length + 1, id
  set('bytes', number('bytes') + #block)
  if #block >= number('largest') then
    set('largest', #block)
    set('largest_at', id)
    set('largest_since', 0)
  elseif #block > number('largest_since') then
    set('largest_since', #block)
  end
  if first == '' then first = id end
  if key ~= '' then supersede(key, id, #block, list) end
  return id
end

for i = 8, #ARGV, 4 do
  local block, key, idempotency_key, list = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local id = idempotency_key ~= '' and remembered(idempotency_key, window)
  if not id then
    id = add(block, key, list)
    if idempotency_key ~= '' then remember(idempotency_key, id) end
  end
  answer[#answer + 1] = id
end
if ends then set('finished', '1') end
if not is_new then
  if ends then
    save()
    notify()
  end
  return answer
end

set('oldest', first)
set('newest', newest)
set('count', length)
-- Drops at least as many events and bytes as it has added, and at most twice as many events or bytes, so that the script is short.
trim(most, most_bytes, age, function(dropped, dropped_bytes)
  local is_much = dropped_bytes >= math.max(2 * added_bytes, 4 * MIB)
  return is_much or dropped >= 2 * added and dropped_bytes >= 2 * added_bytes
end)
if is_once then forget(most, window, 2 * added) end
if is_topical then save_index() else pcall(save_index) end
save()
notify()
return answer
