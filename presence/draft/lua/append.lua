-- Keep one more update, if the writer has seen all before it.
--
-- KEYS  1 meta
-- ARGV  1 generation   2 updates before it   3 the last of them: its mark   4 entry (mark, update)   5 seconds to keep
-- Returns the length of the list, or 0 where another generation is open or others were quicker.

local meta = KEYS[1]
local found = redis.call('HMGET', meta, 'generation', 'last')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then return 0 end
local list = meta .. ':' .. ARGV[1]
local tip = redis.call('LINDEX', list, -1) or ''
if string.sub(tip, 1, #ARGV[3]) ~= ARGV[3] or (ARGV[3] == '' and tip ~= '') then return 0 end
local length = redis.call('RPUSH', list, ARGV[4])
redis.call('HINCRBY', meta, 'last', 1)
redis.call('EXPIRE', meta, ARGV[5])
redis.call('EXPIRE', list, ARGV[5])
return length
