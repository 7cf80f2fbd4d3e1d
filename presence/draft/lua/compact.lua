-- Put one entry in the place of the first ones, if those are still the ones that it was made of.
--
-- KEYS  1 meta
-- ARGV  1 generation   2 how many updates it holds   3 the last of them: its mark   4 entry (mark, merged update)
-- Returns 1, or 0 where nothing was done.

local meta = KEYS[1]
local found = redis.call('HMGET', meta, 'generation', 'merged')
local merged, upto = tonumber(found[2] or 0), tonumber(ARGV[2])
if found[1] ~= ARGV[1] or upto <= merged then return 0 end
local list = meta .. ':' .. ARGV[1]
local index = merged > 0 and upto - merged or upto - 1
local last = redis.call('LINDEX', list, index)
if not last or string.sub(last, 1, #ARGV[3]) ~= ARGV[3] then return 0 end
local ttl = redis.call('TTL', list)
redis.call('LTRIM', list, index + 1, -1)
redis.call('LPUSH', list, ARGV[4])
if ttl > 0 then redis.call('EXPIRE', list, ttl) end
redis.call('HSET', meta, 'merged', upto)
return 1
