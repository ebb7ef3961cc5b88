import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Telemetry } from "../src/rules/telemetry.ts";
import { createMemoryStore } from "../src/store/memory.ts";
import { systemClock } from "../src/time/clock.ts";
import type { WorkedRun } from "../src/work/worked-run.ts";
import { type AdasRuns, createAdasRuns } from "./adas-runs.ts";

type Call = (runs: AdasRuns, runId: string) => Promise<unknown>;

const LEASE = { leaseMs: 30_000, worker: "w" };

async function emitTwo(run: WorkedRun): Promise<number> {
  await run.emit("A", 1);
  await run.emit("A", 2);
  return 2;
}

const CALLS: Readonly<Record<string, Call>> = {
  append: (runs, runId) => runs.append(runId, [{ eventType: "A" }, { eventType: "B" }]),
  "append under a key": (runs, runId) =>
    runs.append(runId, [{ eventType: "A" }], { idempotencyKey: "k" }),
  "append nothing": (runs, runId) => runs.append(runId, []),
  "append at a wrong sequence": (runs, runId) =>
    runs.append(runId, [{ eventType: "A" }], { expectedSequence: 99 }),
  "append no array": (runs, runId) => runs.append(runId, "A" as unknown as []),
  input: (runs, runId) => runs.input(runId, "yes"),
  complete: (runs, runId) => runs.append(runId, [{ eventType: "RUN_COMPLETED" }]),
  cancel: (runs, runId) => runs.cancel(runId),
  claim: (runs, runId) => runs.claim(runId, LEASE),
  work: (runs, runId) => runs.work(runId, LEASE, emitTwo),
  "work that throws": (runs, runId) =>
    runs.work(runId, LEASE, () => {
      throw new TypeError("The task failed.");
    }),
  "work that parks": (runs, runId) => runs.work(runId, LEASE, (run) => run.park()),
  start: async (runs, runId) => {
    const { done } = await runs.start({ runId, ...LEASE }, emitTwo);
    return done;
  },
  tail: async (runs, runId) => {
    const types: string[] = [];
    for await (const { eventType } of runs.tail(runId, { since: 1 })) {
      types.push(eventType);
      if (types.length === 2) break;
    }
    return types;
  },
  reap: (runs) => runs.reap({ graceMs: 0 }),
  purge: (runs) => runs.purge({ finishedForMs: 0 }),
  read: (runs, runId) => runs.read(runId),
};

/** The number of times that the queue of appends reads the clock for an append: once, when it cuts the group. */
const QUEUE_READS = 1;

/** A tail of a live run may wait for ever. */
const QUICK = Object.keys(CALLS).filter((name) => name !== "tail");

const plans = fc.array(
  fc.record({ name: fc.constantFrom(...QUICK), runId: fc.constantFrom("a", "b", "none") }),
  { maxLength: 12 },
);

/** The answer or the error of each call, and then the content of the logs and of their tails. */
async function play(
  plan: readonly { readonly name: string; readonly runId: string }[],
  telemetry: Telemetry | undefined,
): Promise<readonly unknown[]> {
  const runs = createAdasRuns({ store: createMemoryStore({ now: () => 1_000 }), telemetry });
  for (const runId of ["a", "b"]) await runs.create({ runId, metadata: { runId } });
  const answers: unknown[] = [];
  for (const { name, runId } of plan)
    answers.push(
      await CALLS[name]?.(runs, runId).catch((error: unknown) => [
        String(error),
        error instanceof Error && "details" in error && error.details,
      ]),
    );
  for (const runId of ["a", "b", "none"]) {
    await runs.cancel(runId).catch(() => {});
    answers.push(await CALLS["tail"]?.(runs, runId).catch(String));
    answers.push(await runs.read(runId).catch(String));
  }
  await runs.close();
  return answers;
}

function fail(): never {
  throw new TypeError("The listener failed.");
}

/** As an `async` function, which a listener should not be. */
const reject = (async () => Promise.reject(new TypeError("The listener failed."))) as () => void;

const LISTENERS: readonly (readonly [name: string, telemetry: Telemetry])[] = [
  ["listens", { onDiagnostic() {}, aroundWork: (_work, begin) => void begin() }],
  ["throws", { onDiagnostic: fail, aroundWork: fail }],
  ["rejects", { onDiagnostic: reject, aroundWork: reject }],
  [
    "begins a work and then throws",
    {
      aroundWork(_work, begin) {
        void begin();
        fail();
      },
    },
  ],
  ["never begins a work", { aroundWork() {} }],
  [
    "begins a work twice, and late again",
    {
      aroundWork(_work, begin) {
        void begin();
        void begin().then(begin);
      },
    },
  ],
];

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
});

it.each(LISTENERS)(
  "a listener that %s changes no answer, no error and no event",
  async (_name, telemetry) => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        expect(await play(plan, telemetry)).toStrictEqual(await play(plan, undefined));
      }),
      { numRuns: 30 },
    );
  },
);

it("a listener that fails each time is written to console.error once", async () => {
  const plan = [
    { name: "append", runId: "a" },
    { name: "work", runId: "b" },
  ];
  await play(plan, { onDiagnostic: fail, aroundWork: fail });
  expect(vi.mocked(console.error).mock.calls).toStrictEqual([
    [
      "run-events: a listener of `telemetry` failed. Later failures are dropped.",
      new TypeError("The listener failed."),
    ],
  ]);
});

it("without a listener nothing is measured: an append reads the clock only for its queue", async () => {
  async function readsOf(telemetry: Telemetry | undefined): Promise<number> {
    let reads = 0;
    const now = (): number => {
      reads += 1;
      return 1_234;
    };
    const clock = { ...systemClock, now };
    const runs = createAdasRuns({ store: createMemoryStore(), telemetry, clock });
    await runs.create({ runId: "a" });
    const before = reads;
    await runs.append("a", [{ eventType: "A" }]);
    await runs.close();
    return reads - before;
  }
  expect(await readsOf(undefined)).toBe(QUEUE_READS);
  expect(await readsOf({})).toBe(QUEUE_READS);
  // A call and a group are measured twice each: at their begin and at their end.
  expect(await readsOf({ onDiagnostic() {} })).toBe(QUEUE_READS + 4);
});

it("without a listener a store is not observed", () => {
  let observers = 0;
  const store = { ...createMemoryStore(), observe: () => void (observers += 1) };
  createAdasRuns({ store });
  createAdasRuns({ store, telemetry: {} });
  expect(observers).toBe(0);
  createAdasRuns({ store, telemetry: { onDiagnostic() {} } });
  expect(observers).toBe(1);
});

it("a listener may be an object with a state of its own", async () => {
  class Counts {
    appends = 0;
    onDiagnostic(): void {
      this.appends += 1;
    }
  }
  const telemetry = new Counts();
  const runs = createAdasRuns({ store: createMemoryStore(), telemetry });
  await runs.create({ runId: "a" });
  await runs.append("a", [{ eventType: "A" }]);
  await runs.close();
  expect(telemetry.appends).toBeGreaterThan(0);
  expect(console.error).not.toHaveBeenCalled();
});

it("a member that is not a function is a TypeError", () => {
  const telemetry = { onDiagnostic: "log" } as unknown as Telemetry;
  expect(() => createAdasRuns({ store: createMemoryStore(), telemetry })).toThrow(
    new TypeError(
      'Expected `telemetry.onDiagnostic` to be a function, got "log". Leave it out, or pass what a package for telemetry makes.',
    ),
  );
});
