/**
 * The least that appends one event to the same keys: not behind a terminal event, never back in time, the event with its
 * receipt, the head, and a message on the run's channel. KEYS: head, events, receipts. ARGV: type, payload, idempotency key,
 * channel. Answers the event's sequence, or nil.
 */
export const APPEND: string = `
local head = redis.call('HMGET', KEYS[1], 'lastSequence', 'phaseSequence', 'updatedAtMs', 'finishedAtMs')
if not head[1] or head[4] then return false end
local time = redis.call('TIME')
local now = string.format('%.0f', math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(head[3])))
local sequence = string.format('%.0f', head[1] + 1)
redis.call('XADD', KEYS[2], sequence .. '-0', 'eventType', ARGV[1], 'payload', ARGV[2], 'createdAtMs', now, 'phaseSequence', head[2])
redis.call('HSET', KEYS[3], ARGV[3], sequence .. '-' .. sequence)
redis.call('HSET', KEYS[1], 'lastSequence', sequence, 'updatedAtMs', now)
redis.call('PUBLISH', ARGV[4], '')
return sequence
`;

/** As `APPEND`, for a batch of events. ARGV: idempotency key, channel, then of each event type and payload. */
export const APPEND_BATCH: string = `
local head = redis.call('HMGET', KEYS[1], 'lastSequence', 'phaseSequence', 'updatedAtMs', 'finishedAtMs')
if not head[1] or head[4] then return false end
local time = redis.call('TIME')
local now = string.format('%.0f', math.max(time[1] * 1000 + math.floor(time[2] / 1000), tonumber(head[3])))
local sequence = head[1] + 0
for at = 3, #ARGV, 2 do
  sequence = sequence + 1
  redis.call('XADD', KEYS[2], string.format('%.0f-0', sequence), 'eventType', ARGV[at], 'payload', ARGV[at + 1], 'createdAtMs', now,
    'phaseSequence', head[2])
end
local last = string.format('%.0f', sequence)
redis.call('HSET', KEYS[3], ARGV[1], string.format('%.0f', head[1] + 1) .. '-' .. last)
redis.call('HSET', KEYS[1], 'lastSequence', last, 'updatedAtMs', now)
redis.call('PUBLISH', ARGV[2], '')
return last
`;
