import { beforeEach, describe, expect, it } from "vitest";
import { createRunLog } from "../src/log/create-run-log.ts";
import type { RunLog } from "../src/log/run-log.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { ADA } from "./adas-runs.ts";
import { idsOf } from "./ids-of.ts";

const DAY_MS = 86_400_000;
const LIMITS = { queuedForMs: 1_000, idleForMs: 2_000, waitingForMs: 3_000 };
/** Ends idle runs at the first check. */
const AT_ONCE = { graceMs: 0, confirmMs: 0, ...LIMITS };
const STARTED = { eventType: "RUN_STARTED" };
const ASKED = { eventType: "INPUT_REQUESTED" };

let now = 1_000_000;
let store: RunEventStore;
let log: RunLog;

beforeEach(() => {
  now = 1_000_000;
  store = createMemoryStore({ now: () => now });
  log = createRunLog({ store });
});

async function create(runId: string, ...types: readonly { readonly eventType: string }[]) {
  await log.createRun({ runId, ownerId: "ada" });
  for (const one of types) await log.append(runId, [one], ADA);
}

async function endOf(runId: string): Promise<string | undefined> {
  const { run, events } = await log.readPage(runId, ADA);
  return run.runStatus === "failed" ? events.at(-1)?.payload : undefined;
}

describe("reap of runs that no worker works on", () => {
  it("W37, W43: each status ends by its own limit and with its reason, at the millisecond", async () => {
    await create("queued");
    await create("running", STARTED);
    await create("waiting", STARTED, ASKED);
    const ended: (readonly string[])[] = [];
    for (const ms of [999, 1, 999, 1, 999, 1]) {
      now += ms;
      ended.push(idsOf(await log.reap(AT_ONCE)));
    }
    expect(ended).toStrictEqual([[], ["queued"], [], ["running"], [], ["waiting"]]);
    expect(await endOf("queued")).toBe('{"reason":"never_started"}');
    expect(await endOf("running")).toBe('{"reason":"abandoned"}');
    expect(await endOf("waiting")).toBe('{"reason":"abandoned"}');
  });

  it("W37: all limits are off by default, and each is set by itself", async () => {
    await create("queued");
    await create("running", STARTED);
    await create("waiting", ASKED);
    now += 365 * DAY_MS;
    expect(idsOf(await log.reap({ graceMs: 0, confirmMs: 0 }))).toStrictEqual([]);
    for (const [name, runId] of [
      ["waitingForMs", "waiting"],
      ["queuedForMs", "queued"],
      ["idleForMs", "running"],
    ] as const) {
      expect(idsOf(await log.reap({ graceMs: 0, confirmMs: 0, [name]: DAY_MS }))).toStrictEqual([
        runId,
      ]);
    }
  });

  it("W33, W37: the limit of a call is for runs of all kinds together, and calls again end the rest", async () => {
    for (const runId of ["a", "b"]) {
      await create(runId);
      await log.claim(runId, { ...ADA, leaseMs: 1_000 });
    }
    for (const runId of ["c", "d"]) await create(runId);
    for (const runId of ["e", "f"]) await create(runId, STARTED);
    now += 5_000;
    const ended: (readonly string[])[] = [];
    for (let call = 0; call < 4; call++)
      ended.push(idsOf(await log.reap({ ...AT_ONCE, limit: 2 })));
    expect(ended.map((some) => some.toSorted())).toStrictEqual([
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
      [],
    ]);
  });
});
