import type { RunEventsError } from "@tm/run-events-core";
import { nameKey, type Plain, type PlainLanding, type RunName } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { callFailure, isOutOfMemory, scriptFailure, storeFailure } from "./failure.ts";
import { APPEND } from "./scripts/append.ts";
import { packScripts, type Placed } from "./slots.ts";

/** The plains of one run. They are in one script, so that they keep their order even if the client sends it again. */
interface RunPlains extends RunName {
  readonly plains: readonly Placed<Plain>[];
}

/** `last status lease phase`, undecided, or why it failed. */
type Reply = string | null | readonly [failure: string];

/**
 * Commits plain appends and renewals.
 * @throws RunEventsError `store_unavailable` if one fails; `ambiguous` if it may have landed, or others have
 */
export async function appendPlains(
  connection: Connection,
  plains: readonly Plain[],
): Promise<readonly (PlainLanding | null)[]> {
  const placed = plains.map((item, at): Placed<Plain> => ({ item, at }));
  const runs = [...Map.groupBy(placed, ({ item }) => nameKey(item)).values()].flatMap(
    (ofRun): RunPlains[] => ofRun.slice(0, 1).map(({ item }) => ({ ...item, plains: ofRun })),
  );
  const landings: (PlainLanding | null)[] = plains.map(() => null);
  const failures: RunEventsError[] = [];
  const scripts = packScripts(connection, runs);
  await Promise.all(
    scripts.map(async (script) => {
      const ofScript = script.flatMap(({ item }) => item.plains);
      const replies = await send(connection, script).catch((error: unknown) => {
        failures.push(storeFailure(error));
        return [];
      });
      ofScript.forEach(({ item, at }, nth) => {
        const reply = replies[nth] ?? null;
        if (typeof reply === "string") landings[at] = parseLanding(reply, item);
        else if (reply !== null) failures.push(scriptFailure(reply[0]));
      });
    }),
  );
  if (failures.length > 0) {
    throw callFailure(
      failures,
      landings.some((landing) => landing !== null),
    );
  }
  return landings;
}

async function send(
  connection: Connection,
  script: readonly Placed<RunPlains>[],
): Promise<readonly Reply[]> {
  const { keys, notify } = connection;
  const scriptKeys: string[] = [];
  const values: string[] = [notify];
  for (const { item } of script) {
    const { head, events, receipts } = keys.ofRun(item);
    scriptKeys.push(head, events, receipts);
    const channel = keys.channel(keys.ofOwner(item.ownerId));
    values.push(String(item.plains.length), channel, item.runId);
    for (const plain of item.plains) encodePlain(plain.item, values);
  }
  try {
    return (await connection.change(APPEND, scriptKeys, values)) as Reply[];
  } catch (error) {
    // A full server takes no append, but a rule may find that nothing has to be written: the append may have landed before.
    if (isOutOfMemory(error)) return [];
    throw error;
  }
}

function encodePlain(plain: Plain, values: string[]): void {
  const { fence, expectedSequence, leaseMs, idempotencyKey, events } = plain;
  const phase = events.findLast((event) => event.phase !== null)?.phase ?? "";
  values.push(textOf(fence), textOf(expectedSequence), textOf(leaseMs), idempotencyKey ?? "");
  values.push(phase, String(events.length));
  for (const { eventType, payload } of events) values.push(eventType, payload);
}

function textOf(value: number | null): string {
  return value === null ? "" : String(value);
}

function parseLanding(reply: string, { events }: Plain): PlainLanding {
  const [last = "", status = "", lease = ""] = reply.split(" ", 3);
  const phase = reply.slice(last.length + status.length + lease.length + 3);
  const lastSequence = Number(last);
  return {
    firstSequence: lastSequence - events.length + 1,
    lastSequence,
    // Only this store writes it.
    runStatus: status as PlainLanding["runStatus"],
    phase: phase === "" ? null : phase,
    leaseExpiresAtMs: lease === "" ? null : Number(lease),
  };
}
