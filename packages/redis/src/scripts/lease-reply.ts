import type { LeaseOutcome, TerminalStatus } from "@tm/run-events-core/store";
import type { DueEntry } from "../due.ts";
import { runDamaged } from "../failure.ts";
import { HEAD_FIELDS_LUA, parseHead } from "./head.ts";

/** The start of each script of a lease: the refusals that all have. Their first key is a head, their first value `=ownerId` or empty. */
export const LEASE_REFUSALS: string = `
local HEAD = KEYS[1]
local ownerId, runStatus, finishedAtMs, last, ordinal, fence, lease, claimKey = unpack(redis.call('HMGET', HEAD, 'ownerId',
  'runStatus', 'finishedAtMs', 'lastSequence', 'ordinal', 'fence', 'leaseExpiresAtMs', 'claimKey'))
if not ownerId or (ARGV[1] ~= '' and ARGV[1] ~= '=' .. ownerId) then return { 'not_found' } end
if finishedAtMs then return { 'finished', runStatus, last } end

local function mark()
  return ordinal .. '/' .. fence
end

local function granted(otherLease)
  return { 'granted', redis.call('HMGET', HEAD, ${HEAD_FIELDS_LUA}), otherLease or false }
end

local function expiry(leaseMs)
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
  return nowMs, string.format('%.0f', nowMs + leaseMs)
end
`;

/** The answer of a lease's script. */
export type LeaseReply =
  | readonly ["not_found" | "fenced"]
  | readonly ["finished", runStatus: TerminalStatus, lastSequence: string]
  | readonly ["claimed", leaseExpiresAtMs: string]
  | readonly ["granted", head: readonly (string | null)[], otherLease: string | null];

/** The outcome of a request for a lease. */
export function parseLeaseReply(reply: LeaseReply, runId: string): LeaseOutcome {
  switch (reply[0]) {
    case "not_found":
    case "fenced":
      return { outcome: reply[0] };
    case "finished":
      return { outcome: reply[0], runStatus: reply[1], lastSequence: Number(reply[2]) };
    case "claimed":
      return { outcome: reply[0], leaseExpiresAtMs: Number(reply[1]) };
    case "granted": {
      const run = parseHead(runId, reply[1]);
      if (run === null) throw runDamaged();
      return { outcome: reply[0], run };
    }
  }
}

/** The entry in the index of leases that a granted reply names. */
export function otherLease(reply: LeaseReply, runId: string): DueEntry | null {
  const mark = reply[0] === "granted" ? reply[2] : null;
  return mark === null ? null : { mark, runId };
}
