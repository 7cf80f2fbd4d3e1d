-- Keep an answer, and let go of what is too old or, least recently used first, too much.
--
-- KEYS  1 entries (hash)  2 used (sorted set)  3 expires (sorted set)  4 about (hash)  5 meta (hash: bytes, epoch, last)
--       6 vectors (hash)  7 order of vectors (sorted set)
-- ARGV  1 key   2 answer   3 about   4 seconds to keep   5 most entries   6 most bytes
--       7 vector ('': none)   8 candidate for a new epoch of the vectors
-- Returns how many entries there are.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key, keep = ARGV[1], tonumber(ARGV[4])

local function size(of)
  return redis.call('HSTRLEN', KEYS[1], of) + redis.call('HSTRLEN', KEYS[4], of) + redis.call('HSTRLEN', KEYS[6], of)
end

local function drop(of)
  redis.call('HINCRBY', KEYS[5], 'bytes', -size(of))
  redis.call('HDEL', KEYS[1], of)
  redis.call('HDEL', KEYS[4], of)
  redis.call('ZREM', KEYS[2], of)
  redis.call('ZREM', KEYS[3], of)
  redis.call('HDEL', KEYS[6], of)
  redis.call('ZREM', KEYS[7], of)
end

for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 100)) do drop(old) end
drop(key)
redis.call('HSET', KEYS[1], key, ARGV[2])
redis.call('HSET', KEYS[4], key, ARGV[3])
redis.call('ZADD', KEYS[2], now, key)
redis.call('ZADD', KEYS[3], now + keep * 1000, key)
if ARGV[7] ~= '' then
  redis.call('HSETNX', KEYS[5], 'epoch', ARGV[8])
  redis.call('HSET', KEYS[6], key, ARGV[7])
  redis.call('ZADD', KEYS[7], redis.call('HINCRBY', KEYS[5], 'last', 1), key)
end
local bytes = redis.call('HINCRBY', KEYS[5], 'bytes', size(key))
local count = redis.call('ZCARD', KEYS[2])
while count > tonumber(ARGV[5]) or (bytes > tonumber(ARGV[6]) and count > 0) do
  drop(redis.call('ZRANGE', KEYS[2], 0, 0)[1])
  bytes = tonumber(redis.call('HGET', KEYS[5], 'bytes'))
  count = count - 1
end
-- A cache that nobody uses any more goes as a whole.
for _, name in ipairs(KEYS) do
  if redis.call('TTL', name) < keep then redis.call('EXPIRE', name, keep) end
end
return count
