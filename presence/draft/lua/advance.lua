-- Close a generation and open the next, if it is the one that is open.
--
-- KEYS  1 meta
-- ARGV  1 generation   2 seconds to keep
-- Returns 1, or 0 where another one is open.

local meta = KEYS[1]
if redis.call('HGET', meta, 'generation') ~= ARGV[1] then return 0 end
redis.call('DEL', meta .. ':' .. ARGV[1])
redis.call('HSET', meta, 'generation', string.format('%d', tonumber(ARGV[1]) + 1), 'last', 0, 'merged', 0)
redis.call('EXPIRE', meta, ARGV[2])
return 1
