-- The vectors that came after a position, in order.
--
-- KEYS  1 meta (hash: epoch, last)  2 vectors (hash)  3 order of vectors (sorted set)
-- ARGV  1 epoch that is known   2 position in it   3 how many at most
-- Returns {epoch, position reached, {key, vector, ...}}.

local epoch = redis.call('HGET', KEYS[1], 'epoch') or ''
local after = epoch == ARGV[1] and tonumber(ARGV[2]) or 0
local found = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local reached, new = after, {}
for at = 1, #found, 2 do
  reached = tonumber(found[at + 1])
  local vector = redis.call('HGET', KEYS[2], found[at])
  if vector then
    new[#new + 1] = found[at]
    new[#new + 1] = vector
  end
end
return {epoch, reached, new}
