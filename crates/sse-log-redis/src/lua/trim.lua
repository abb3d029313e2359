-- Drops the oldest entries that are over the limits, until `enough` returns true for the number of dropped entries and their bytes. Never
-- drops the newest entry. Returns true if more may be over the limits.
local function trim(most, most_bytes, age, enough)
  local old = age and newest_aged(age)
  local count, bytes, dropped, dropped_bytes, last = length, number('bytes'), 0, 0, nil
  local function is_over(id)
    return count > 1 and (count > most or bytes > most_bytes or old and not is_after(id, old))
  end
  if first == '' or not is_over(first) then return false end
  local next, is_enough
  -- The topics of what it drops.
  local dropped_topics = {}
  while not next do
    local entries = redis.call('XRANGE', stream, last and '(' .. last or '-', '+', 'COUNT', at_a_time(dropped, dropped_bytes))
    for _, entry in ipairs(entries) do
      local id = entry[1]
      is_enough = enough(dropped, dropped_bytes)
      if is_enough or not is_over(id) then
        next = id
        break
      end
      local block, key, list = fields(entry)
      each_topic(list, function(topic) dropped_topics[topic] = true end)
      -- The run before it is over, too.
      if list then dropped_topics[''] = true end
      local size = #(block or '')
      dropped, dropped_bytes, count, last = dropped + 1, dropped_bytes + size, count - 1, id
      if is_counted(id) then bytes = bytes - size end
      if key and is_newest_of(key, id) then redis.call('HDEL', newest_of_key, key) end
    end
  end
  if not last then return is_enough end
  redis.call('XTRIM', stream, 'MINID', next)
  length, first = count, next
  -- If another program has put other types in the place of the index, the events still go.
  for topic in pairs(dropped_topics) do pcall(drop_chunks, topic, next) end
  set('floor', '=' .. last)
  set('oldest', next)
  set('bytes', bytes)
  set('count', count)
  -- The size of the largest entry left is unknown: it is at most that of the largest entry added after the dropped one.
  if not is_after(state.largest_at or '0-0', last) then
    set('largest', number('largest_since'))
    set('largest_at', newest)
    set('largest_since', 0)
  end
  return is_enough
end
