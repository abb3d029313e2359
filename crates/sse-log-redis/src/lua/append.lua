-- ARGV: for how many milliseconds an idempotency key is remembered; then for each event its block, its key or '', and which of KEYS
-- holds its idempotency key, or 0. Answers the epoch and the ids; nothing where the log is finished.
local function remembered(at)
  return at > 0 and redis.call('GET', KEYS[at])
end

local m = redis.call('HMGET', meta, 'finished', 'oldest', 'bytes', 'largest')
local is_keyed, is_new = false, false
for i = 3, #ARGV, 3 do
  is_keyed = is_keyed or ARGV[i + 1] ~= ''
  is_new = not remembered(tonumber(ARGV[i + 2])) or is_new
end
if m[1] and is_new then return false end

-- What would fail halfway is refused before anything is written; so every idempotency key has been looked up by now.
if is_keyed then redis.call('HLEN', newest_of_key) end
local needed = { { 'XADD', stream, '*', 'b', '' }, { 'HSET', meta, 'oldest', '' } }
if is_keyed then needed[3] = { 'XDEL', stream, '0-1' } end
if KEYS[5] then needed[#needed + 1] = { 'SET', KEYS[5], '', 'PX', 1 } end
for _, command in ipairs(needed) do
  if not redis.acl_check_cmd(unpack(command)) then
    return redis.error_reply('NOPERM this user may not run ' .. command[1])
  end
end

local answer = { epoch() }
if is_keyed then
  note_trims()
  m = redis.call('HMGET', meta, 'finished', 'oldest', 'bytes', 'largest')
end
local oldest, bytes, largest = m[2] or '', tonumber(m[3] or 0), tonumber(m[4] or 0)

-- A key has one event: the one before it goes.
local function supersede(key, id, size)
  local known = redis.call('HGET', newest_of_key, key)
  redis.call('HSET', newest_of_key, key, id .. ' ' .. size)
  if not known then return end
  local old, old_size = string.match(known, '^(%S+) (%d+)$')
  if redis.call('XDEL', stream, old) == 1 then
    if is_counted(old) then bytes = bytes - tonumber(old_size) end
    if old == oldest then oldest = ends() end
  end
end

for i = 3, #ARGV, 3 do
  local block, key, at = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local id = remembered(at)
  if not id then
    if key == '' then
      id = redis.call('XADD', stream, '*', 'b', block)
    else
      id = redis.call('XADD', stream, '*', 'b', block, 'k', key)
    end
    bytes, largest = bytes + #block, math.max(largest, #block)
    if oldest == '' then oldest = id end
    if key ~= '' then supersede(key, id, #block) end
    if at > 0 then redis.call('SET', KEYS[at], id, 'PX', ARGV[2]) end
  end
  answer[#answer + 1] = id
end
if is_new then redis.call('HSET', meta, 'oldest', oldest, 'bytes', bytes, 'largest', largest) end
return answer
