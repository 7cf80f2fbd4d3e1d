-- What a draft has behind a place in its list. Begins the generation `floor` where a lower one is open.
--
-- KEYS  1 meta; a generation's list lies beside it, under the same hash tag: `<meta>:<generation>`
-- ARGV  1 floor   2 generation of the place   3 updates before the place   4 the last of them: its mark
-- Returns {generation, updates in all, begun, whole, entries…}; with whole = 1 the entries are all.
--
-- meta: generation, last (updates so far), merged (so many of them are the list's first entry). An entry: mark, update.

local meta = KEYS[1]
local found = redis.call('HMGET', meta, 'generation', 'last', 'merged')
local generation, last, merged = tonumber(found[1] or 0), tonumber(found[2] or 0), tonumber(found[3] or 0)
local floor, place, mark, begun = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[4], 0

if generation < floor then
  redis.call('DEL', meta .. ':' .. generation, meta .. ':' .. floor)
  redis.call('HSET', meta, 'generation', floor, 'last', 0, 'merged', 0)
  generation, last, merged, begun = floor, 0, 0, generation > 0 and 1 or 0
end

local list = meta .. ':' .. generation
local from = 0
if generation == tonumber(ARGV[2]) and place > 0 and place >= merged and place <= last then
  -- The entry before the place must be the one that the reader had: Redis may have lost some and got others.
  local index = merged > 0 and place - merged or place - 1
  local before = redis.call('LINDEX', list, index)
  if before and string.sub(before, 1, #mark) == mark then from = index + 1 end
end

local reply = {generation, last, begun, from == 0 and 1 or 0}
for _, entry in ipairs(redis.call('LRANGE', list, from, -1)) do reply[#reply + 1] = entry end
return reply
