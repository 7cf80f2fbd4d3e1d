-- Let go of some entries. Returns how many of them there were.
--
-- KEYS  1 entries (hash)  2 used (sorted set)  3 expires (sorted set)  4 about (hash)  5 meta (hash: bytes)
--       6 vectors (hash)  7 order of vectors (sorted set)
-- ARGV  keys

local dropped = 0
for _, key in ipairs(ARGV) do
  local size = redis.call('HSTRLEN', KEYS[1], key) + redis.call('HSTRLEN', KEYS[4], key) + redis.call('HSTRLEN', KEYS[6], key)
  redis.call('HINCRBY', KEYS[5], 'bytes', -size)
  dropped = dropped + redis.call('HDEL', KEYS[1], key)
  redis.call('HDEL', KEYS[4], key)
  redis.call('ZREM', KEYS[2], key)
  redis.call('ZREM', KEYS[3], key)
  redis.call('HDEL', KEYS[6], key)
  redis.call('ZREM', KEYS[7], key)
end
return dropped
