import type { RunStatus } from "@tm/run-events-core";
import type { RunRecord } from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { numberOrNull } from "./head.ts";
import { defineReading, refuseOnReplica, type Script } from "./script.ts";

/** Reads the fields that an entry depends on. KEYS: head. Answers the fields, then the server's time in milliseconds. */
const DUE_RUN: Script = defineReading(`${refuseOnReplica("HDEL")}
local run = redis.call('HMGET', KEYS[1], 'ordinal', 'updatedAtMs', 'finishedAtMs', 'fence', 'leaseExpiresAtMs',
  'runStatus', 'createdAtMs', 'idleFromMs', 'visits', 'ownerId', 'topic')
local time = redis.call('TIME')
run[12] = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return run
`);

/** The fields of a run that an entry depends on, and the time of the run's server. */
export interface DueRun extends Pick<
  RunRecord,
  | "runId"
  | "ownerId"
  | "topic"
  | "ordinal"
  | "runStatus"
  | "createdAtMs"
  | "updatedAtMs"
  | "finishedAtMs"
  | "fence"
  | "leaseExpiresAtMs"
  | "idleFromMs"
> {
  /** As of `ListEntry`. */
  readonly visits: number;
  readonly nowMs: number;
}

/** Reads a run, or `null` if it does not exist. */
export async function dueRun(connection: Connection, runId: string): Promise<DueRun | null> {
  const { head } = connection.keys.ofRun(runId);
  const reply = (await connection.run(DUE_RUN, [head], [])) as readonly (string | null)[];
  const [ordinal, updated, finished, fence, lease, runStatus, created, idleFrom, visits, ...rest] =
    reply;
  const [ownerId, topic, now] = rest;
  if (typeof ordinal !== "string") return null;
  return {
    runId,
    ownerId: ownerId ?? "",
    topic: topic ?? null,
    ordinal: Number(ordinal),
    updatedAtMs: Number(updated),
    finishedAtMs: numberOrNull(finished),
    fence: Number(fence ?? 0),
    leaseExpiresAtMs: numberOrNull(lease),
    // Only the scripts write it.
    runStatus: runStatus as RunStatus,
    createdAtMs: Number(created),
    idleFromMs: Number(idleFrom ?? created),
    visits: Number(visits ?? 0),
    nowMs: Number(now),
  };
}
