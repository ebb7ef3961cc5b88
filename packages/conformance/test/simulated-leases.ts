import { createMemoryStore } from "@tm/run-events-core";
import fc from "fast-check";
import { appendRequest } from "../src/append-request.ts";
import { namedEvent } from "../src/history/named-event.ts";
import type {
  AppendOperation,
  History,
  LeaseOperation,
  Operation,
} from "../src/history/operation.ts";
import { createRecorder, readLogs } from "../src/history/recorder.ts";
import { type KitStore, kitStore } from "../src/kit-store.ts";
import { LONG_MS, SHORT_MS, under } from "../src/lease.ts";

/** What a client does, and when. */
interface Planned {
  readonly does: "claim" | "renew" | "release" | "append" | "appendFree";
  readonly client: number;
  readonly leaseMs: number;
  /** How long before the instant at which it happens it begins, and how long after it is answered. */
  readonly before: number;
  readonly after: number;
}

const planned: fc.Arbitrary<Planned> = fc.record({
  does: fc.constantFrom<Planned["does"][]>(
    "claim",
    "claim",
    "renew",
    "release",
    "append",
    "append",
    "appendFree",
  ),
  client: fc.nat(2),
  leaseMs: fc.constantFrom(SHORT_MS, SHORT_MS, LONG_MS),
  before: fc.nat(30),
  after: fc.nat(30),
});

/** What clients do to one run, in the order in which it happens. Calls of many clients are under way at once. */
export const leasePlan: fc.Arbitrary<readonly Planned[]> = fc.array(planned, {
  minLength: 1,
  maxLength: 14,
  size: "max",
});

/** A history that really can have happened: each call takes effect at one instant between its beginning and its end. */
export async function playLeases(plan: readonly Planned[]): Promise<History> {
  let nowMs = 1_000;
  const store = kitStore(createMemoryStore({ now: () => nowMs }));
  await store.createRun({ runId: "run", ownerId: "ada", metadata: "null" });
  const fences = new Map<number, number>();
  const operations: Operation[] = [];
  for (const [index, step] of plan.entries()) {
    nowMs += SHORT_MS;
    const operation = await play(store, step, `${step.client}.${index}`, fences);
    const at = index * 10;
    const times = { begunAt: at - step.before, endedAt: at + 1 + step.after };
    operations.push({ ...operation, ...times, client: `${index}` });
  }
  return { operations, logs: await readLogs(store, ["run"]) };
}

async function play(
  store: KitStore,
  { does, client, leaseMs }: Planned,
  name: string,
  fences: Map<number, number>,
): Promise<AppendOperation | LeaseOperation> {
  const recorder = createRecorder();
  const recorded = recorder.client(name, store);
  const fence = fences.get(client) ?? 1;
  if (does === "append" || does === "appendFree") {
    const events = [namedEvent("TOKEN", `${name}.0`)];
    const conditions = does === "append" ? under({ fence }) : {};
    await recorded.append([appendRequest("run", events, conditions)]);
  } else {
    const asked = does === "claim" ? null : fence;
    const granted = await recorded.lease("run", does, asked, does === "release" ? 0 : leaseMs);
    if (granted !== null) fences.set(client, granted);
  }
  const [operation] = recorder.operations;
  if (operation?.kind !== "append" && operation?.kind !== "lease") {
    throw new TypeError("Expected a call.");
  }
  return operation;
}
