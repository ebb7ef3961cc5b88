import {
  eventBytes,
  type ReadQuery,
  type ReadResult,
  type StoredEvent,
} from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { runDamaged } from "../failure.ts";
import { HEAD_FIELDS_LUA, parseHead } from "./head.ts";
import { defineReading, encodeOwner, refuseOnReplica, type Script } from "./script.ts";

/**
 * Reads a run's head and a page of its events, as of one instant. The page is loaded in pieces, so that the server never holds
 * many large events for a page that ends before them. Each event has to be the next one: a log with a hole is `lost`, not a
 * shorter log.
 *
 * KEYS: head, events.
 * ARGV: `=ownerId` or empty, since, limit, maxBytes, an event's bytes besides its payload, `1` to answer the time of the event `since`.
 * Answers nil if the run does not exist, `{'lost'}` or `{'page', head, events, time at since or nil}`, the
 * events as one flat list of type, payload and time.
 * @see clauses S9, S10, S12 and S30 in `STORE.md`; `createPageCut` is the rule.
 */
const READ: Script = defineReading(`${refuseOnReplica("HDEL")}
local HEAD, EVENTS = KEYS[1], KEYS[2]
local PIECE = 16
local head = redis.call('HMGET', HEAD, ${HEAD_FIELDS_LUA})
local ownerId, last, updated = head[1], tonumber(head[4]), head[7]
if not ownerId or (ARGV[1] ~= '' and ARGV[1] ~= '=' .. ownerId) then return false end
local since, limit, maxBytes, envelope = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local function id(sequence)
  return string.format('%.0f-0', sequence)
end

local timeAtSince = false
if ARGV[6] == '1' and since > 0 and since <= last then
  local entry = since < last and redis.call('XRANGE', EVENTS, id(since), id(since))[1]
  if since < last and not entry then return { 'lost' } end
  timeAtSince = entry and entry[2][6] or updated
end

local events, count, bytes, next = {}, 0, 0, since + 1
while next <= last and count < limit do
  local piece = redis.call('XRANGE', EVENTS, id(next), id(last), 'COUNT', math.min(PIECE, limit - count))
  if #piece == 0 then return { 'lost' } end
  for _, entry in ipairs(piece) do
    if entry[1] ~= id(next) then return { 'lost' } end
    local event = entry[2]
    bytes = bytes + #event[4] + envelope
    if count > 0 and bytes > maxBytes then return { 'page', head, events, timeAtSince } end
    count = count + 1
    next = next + 1
    events[count * 3 - 2], events[count * 3 - 1], events[count * 3] = event[2], event[4], event[6]
  end
end
return { 'page', head, events, timeAtSince }
`);

const ENVELOPE_BYTES = String(eventBytes(0));

type ReadReply =
  | null
  | readonly ["lost"]
  | readonly [
      "page",
      head: readonly (string | null)[],
      events: readonly string[],
      timeAtSince: string | null,
    ];

/**
 * Reads a run's head and a page of its events as of one instant.
 * @see clauses S9, S12 and S30 in `STORE.md`
 */
export async function readPage(
  connection: Connection,
  query: ReadQuery,
): Promise<ReadResult | null> {
  const { runId, ownerId, since, limit, maxBytes, withTime = false } = query;
  const { head, events } = connection.keys.ofRun(runId);
  const reply = (await connection.run(
    READ,
    [head, events],
    [
      encodeOwner(ownerId),
      String(since),
      String(limit),
      String(maxBytes),
      ENVELOPE_BYTES,
      withTime ? "1" : "",
    ],
  )) as ReadReply;
  if (reply === null) return null;
  if (reply[0] === "lost") throw runDamaged();
  const [, headValues, flat, timeAtSince] = reply;
  const run = parseHead(runId, headValues);
  if (run === null) return null;
  const page = { run, events: parseEvents(flat, since) };
  if (!withTime) return page;
  return { ...page, timeAtSinceMs: timeAtSince === null ? null : Number(timeAtSince) };
}

function parseEvents(flat: readonly string[], since: number): readonly StoredEvent[] {
  const events: StoredEvent[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    const [eventType = "", payload = "", createdAt] = flat.slice(at, at + 3);
    const sequence = since + events.length + 1;
    events.push({ sequence, eventType, payload, createdAtMs: Number(createdAt) });
  }
  return events;
}
