-- Append one event to a log and publish it to the log's group, atomically.
--
-- KEYS  1 meta (hash)  2 events (stream)  3 seen outbox keys (sorted set)
-- ARGV  1 run id of the Redis this connection reached   2 candidate for a new epoch   3 now, ms   4 seconds to keep
--       5 group channel   6 log   7 type   8 stream   9 data   10 n   11 step   12 body (JSON)
--       13 batch (0: not counted)   14 fence (0: none)   15 outbox key ('': none)
-- Returns {status, epoch, seq, stopping}; status 0 appended, 1 had it already, 2 fenced, 3 behind (seq = last batch).
--
-- Per stream, meta holds  f:<stream> the fence ('end' after its terminal event)  b:<stream> the last batch
-- s:<stream> set while somebody wants it stopped  a:<stream> the seq of its first event (kept: a snapshot may be under way)

local meta, events, seen = KEYS[1], KEYS[2], KEYS[3]
local kind, stream = ARGV[7], ARGV[8]
local batch, fence = tonumber(ARGV[13]), tonumber(ARGV[14])

local state = redis.call('HMGET', meta, 'run', 'epoch', 'seq', 'f:' .. stream, 'b:' .. stream, 's:' .. stream)
local epoch, seq = state[2], tonumber(state[3] or '0')
if state[1] ~= ARGV[1] then
  -- Another Redis, or the same one after a restart: writes may be missing, so what clients hold may not be here.
  if not epoch then
    local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
    if last then seq = tonumber(string.match(last[1], '^(%d+)')) end
  end
  epoch = ARGV[2]
  redis.call('HSET', meta, 'run', ARGV[1], 'epoch', epoch, 'seq', seq)
end

if ARGV[15] ~= '' then
  local before = redis.call('ZSCORE', seen, ARGV[15])
  if before then return {1, epoch, tonumber(before), 0} end
end

local stopping = state[6] and 1 or 0
if stream ~= '' then
  local held = state[4]
  if held == 'end' then return {2, epoch, seq, stopping} end
  if fence > 0 then
    local current = tonumber(held or '0')
    if fence < current then return {2, epoch, seq, stopping} end
    if fence > current then redis.call('HSET', meta, 'f:' .. stream, fence) end
  end
  if batch > 0 then
    local last = tonumber(state[5] or '0')
    if batch <= last then return {1, epoch, seq, stopping} end
    if batch > last + 1 then return {3, epoch, last, stopping} end
    redis.call('HSET', meta, 'b:' .. stream, batch)
  end
end

seq = seq + 1
redis.call('HSET', meta, 'seq', seq)

local fields = {'k', kind, 't', ARGV[3]}
local message = {type = 'log.event', l = ARGV[6], e = epoch, q = seq, t = tonumber(ARGV[3]), k = kind}
-- In a stream's own log the stream goes without saying.
if stream ~= '' then
  message.s = stream
  if ARGV[6] ~= 'stream:' .. stream then fields[#fields + 1] = 's'; fields[#fields + 1] = stream end
end
if ARGV[9] ~= '' then message.d = ARGV[9]; fields[#fields + 1] = 'd'; fields[#fields + 1] = ARGV[9] end
if ARGV[10] ~= '0' then message.n = tonumber(ARGV[10]); fields[#fields + 1] = 'n'; fields[#fields + 1] = ARGV[10] end
if ARGV[11] ~= '0' then message.p = tonumber(ARGV[11]); fields[#fields + 1] = 'p'; fields[#fields + 1] = ARGV[11] end
if ARGV[12] ~= '' then message.b = ARGV[12]; fields[#fields + 1] = 'b'; fields[#fields + 1] = ARGV[12] end
redis.call('XADD', events, seq .. '-0', unpack(fields))

if ARGV[15] ~= '' then
  redis.call('ZADD', seen, seq, ARGV[15])
  -- As many as can come from others while one writer is held up between reading its rows and appending them.
  if redis.call('ZCARD', seen) > 4096 then redis.call('ZREMRANGEBYRANK', seen, 0, 2047) end
  redis.call('EXPIRE', seen, ARGV[4])
end
if kind == 'complete' or kind == 'error' then
  -- From here on this stream is closed to every writer.
  redis.call('HDEL', meta, 'b:' .. stream, 's:' .. stream)
  redis.call('HSET', meta, 'f:' .. stream, 'end')
end
if kind == 'stream_start' then redis.call('HSETNX', meta, 'a:' .. stream, seq) end
if kind ~= 'token' and kind ~= 'thought' or seq % 64 == 1 then
  redis.call('EXPIRE', meta, ARGV[4])
  redis.call('EXPIRE', events, ARGV[4])
end
redis.call('PUBLISH', ARGV[5], cmsgpack.pack(message))
return {0, epoch, seq, stopping}
