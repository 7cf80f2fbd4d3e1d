-- The answer kept under a key, noted as used now; false where there is none, or its time is over.
--
-- KEYS  1 entries (hash)  2 used (sorted set)  3 expires (sorted set)
-- ARGV  1 key

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expires = redis.call('ZSCORE', KEYS[3], ARGV[1])
if not expires or tonumber(expires) <= now then return false end
redis.call('ZADD', KEYS[2], 'XX', now, ARGV[1])
return redis.call('HGET', KEYS[1], ARGV[1])
