import type { Head, RunName } from "@tm/run-events-core/store";
import { runDamaged } from "./failure.ts";

/** A head as it is stored, with what only this store knows of the run. */
export interface StoredHead {
  readonly head: Head;
  /** Whether the run has receipts. If it has, and their key does not exist, the key was lost. */
  readonly hasReceipts: boolean;
}

/**
 * The text of a head: a line of what the scripts read, then the topic, then `extra`. A plain append only reads and writes the first line.
 * One string takes less than half the memory of a hash with these fields.
 */
export function encodeHead({ head, hasReceipts }: StoredHead): string {
  const { lastSequence, updatedAtMs, fence, leaseExpiresAtMs, dueMs, runStatus } = head;
  const line = [
    `${versionOf(head)}${lastSequence}`,
    updatedAtMs,
    fence,
    leaseExpiresAtMs ?? "",
    dueMs,
    runStatus,
    hasReceipts ? 1 : 0,
    head.exclusive ? 1 : 0,
    head.phase ?? "",
  ].join(" ");
  return `${line}\n${JSON.stringify(head.topic)}\n${head.extra}`;
}

/** The start of a head's text: another life of the run has another ordinal, and each write another revision. */
export function versionOf({ ordinal, revision }: Pick<Head, "ordinal" | "revision">): string {
  return `${ordinal} ${revision} `;
}

/** The first line of a head in Lua's patterns: all that {@link encodeHead} writes there, and where it ends. */
export const HEAD_LINE_LUA =
  "'^(%d+) (%d+) (%d+) (%d+) (%d+) (%d*) (%d+) (%l+) ([01]) ([01]) ([^\\n]*)()'";

const HEAD =
  /^(\d+) (\d+) (\d+) (\d+) (\d+) (\d*) (\d+) ([a-z]+) ([01]) ([01]) ([^\n]*)\n([^\n]*)\n(.*)$/s;

/** @throws RunEventsError `store_unavailable` for another text */
export function parseHead({ ownerId, runId }: RunName, text: string): StoredHead {
  const found = HEAD.exec(text);
  if (found === null) throw runDamaged();
  const [, ordinal, revision, last, updated, fence, lease, due] = found;
  const [runStatus, receipts, exclusive, phase, topic = "null", extra = "{}"] = found.slice(8);
  return {
    hasReceipts: receipts === "1",
    head: {
      ownerId,
      runId,
      ordinal: Number(ordinal),
      revision: Number(revision),
      // Only this store writes it.
      runStatus: runStatus as Head["runStatus"],
      phase: phase === "" ? null : (phase ?? null),
      lastSequence: Number(last),
      updatedAtMs: Number(updated),
      fence: Number(fence),
      leaseExpiresAtMs: lease === "" ? null : Number(lease),
      topic: JSON.parse(topic) as string | null,
      exclusive: exclusive === "1",
      dueMs: Number(due),
      extra,
    },
  };
}
