-- Put and drop connections of one session, and ring for those that changed something: one atomic step, one number.
-- KEYS: the session's connections
-- ARGV: channel, group, log, process, ttl, count of puts, (id, fields)…, dropped ids…
-- Returns the number that the session's presence has now.
local key = KEYS[1]
local puts, dropped = {}, {}
local last = 6 + 2 * tonumber(ARGV[6])
for i = 7, last, 2 do
    redis.call('HSET', key, ARGV[i], ARGV[i + 1])
    puts[#puts + 1] = ARGV[i]
    puts[#puts + 1] = ARGV[i + 1]
end
for i = last + 1, #ARGV do
    if redis.call('HDEL', key, ARGV[i]) == 1 then
        dropped[#dropped + 1] = ARGV[i]
    end
end
if #puts + #dropped == 0 then
    return tonumber(redis.call('HGET', key, '#') or 0)
end
if redis.call('HEXISTS', key, '#') == 0 then
    -- Numbers of a session that Redis forgot are higher than those it had: nobody takes a new one for an old one.
    local now = redis.call('TIME')
    redis.call('HSET', key, '#', now[1] .. string.format('%03d', math.floor(now[2] / 1000)))
end
local number = redis.call('HINCRBY', key, '#', 1)
redis.call('EXPIRE', key, ARGV[5])
redis.call('PUBLISH', ARGV[1], cmsgpack.pack({
    type = 'presence', group = ARGV[2], log = ARGV[3], process = ARGV[4], n = number, puts = puts, dropped = dropped,
}))
return number
