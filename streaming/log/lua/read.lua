-- Read a log's head and, when asked, its events after a position; starts a new epoch when Redis was restarted.
--
-- KEYS  1 meta (hash)  2 events (stream)
-- ARGV  1 run id   2 candidate for a new epoch   3 after (seq)   4 up to (seq, or '+')   5 how many at most (0: only the head)
--       6 seconds to keep a log that is read before anything was written
-- Returns {epoch, seq, first, entries}; first is the oldest seq still in the log (0 when it is empty).

local state = redis.call('HMGET', KEYS[1], 'run', 'epoch', 'seq')
local epoch, seq = state[2], tonumber(state[3] or '0')
if state[1] ~= ARGV[1] then
  if not epoch then
    redis.call('HSET', KEYS[1], 'seq', 0)
    redis.call('EXPIRE', KEYS[1], ARGV[6])
  end
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'run', ARGV[1], 'epoch', epoch)
end
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local first = oldest and tonumber(string.match(oldest[1], '^(%d+)')) or 0
local entries = {}
if tonumber(ARGV[5]) > 0 then
  entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[3] .. '-0', ARGV[4] == '+' and '+' or ARGV[4] .. '-0', 'COUNT', ARGV[5])
end
return {epoch, seq, first, entries}
