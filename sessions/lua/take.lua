-- Take from an allowance that fills up by itself; one step, by Redis's own clock, so that all processes agree.
-- KEYS[1]: the moment, in microseconds, at which the allowance is whole again (the generic cell rate algorithm).
-- ARGV: microseconds in which one more comes, how many it holds, how many to take, 1 to take or 0 to look only.
-- Returns 0, or the microseconds to wait.
local every, most, taken = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local whole = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now)) + taken * every
local wait = whole - most * every - now
if wait > 0 then
  return math.ceil(wait)
end
if ARGV[4] == '1' then
  redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', math.ceil((whole - now) / 1000) + 1)
end
return 0
