-- A server that has taken over may lack the newest events, whose ids were given. Until that is noticed it must not give one of them again, and
-- its clock does not see to that: it may be behind that of the server before. So from then on the counter of an id begins at a random number.

-- Notes the server's process. If it is another than that of the append before, draws the number, from ARGV[1], which is random.
local function notice_server(process)
  if process == '' or process == state.server then return end
  if state.server then
    -- Beyond the counter of the newest entry, which may have begun at such a number already.
    local salt, given = 0, tonumber(string.match(newest, '%d+$'))
    for i = 1, #ARGV[1] do salt = (salt * 37 + string.byte(ARGV[1], i)) % 2147483647 end
    set('salt', given + salt + 1)
  end
  set('server', process)
end

-- Adds an entry after the newest, and returns its id.
local function add_entry(entry)
  local salt = number('salt')
  if salt > 0 then
    local ms, count = string.match(newest, '^(%d+)%-(%d+)$')
    if is_larger(state.time, ms) then
      ms, count = state.time, salt
    else
      count = math.max(tonumber(count), salt) + 1
    end
    -- Redis refuses it if another program has added a later entry, and removed it.
    local id = count < 2 ^ 53 and redis.pcall('XADD', stream, ms .. '-' .. string.format('%.0f', count), unpack(entry))
    if type(id) == 'string' then return id end
  end
  return redis.call('XADD', stream, '*', unpack(entry))
end
