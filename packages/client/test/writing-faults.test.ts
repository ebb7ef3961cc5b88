import { startRun } from "@tm/run-events-client";
import { workRun } from "@tm/run-events-client/work";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRun, readLog } from "./api.ts";
import { fault, type Fault, startFaultProxy } from "./fault-proxy.ts";
import { onFastClock } from "./on-fast-clock.ts";
import { startServer, type TestServer } from "./start-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** A step of a writer: events emitted one by one, a batch, or a pause until all earlier events are acknowledged. */
type Step =
  | { readonly call: "emit" | "append"; readonly count: number }
  | { readonly call: "wait" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ call: fc.constantFrom("emit", "append"), count: fc.integer({ min: 1, max: 5 }) }),
  fc.constant({ call: "wait" as const }),
);
const script = fc.record({
  steps: fc.array(step, { maxLength: 8 }),
  faults: fc.array(fault, { maxLength: 6 }),
});

interface Draft {
  readonly eventType: string;
  readonly payload: number;
}

/** The functions that a writer and a task have in common. */
interface Writer {
  emit(eventType: string, payload: number): unknown;
  append(events: readonly Draft[]): unknown;
  /** Resolves when all earlier events are acknowledged. */
  wait(next: () => Draft): Promise<unknown>;
}

/** A kind of writer. */
interface Kind {
  readonly name: string;
  readonly runs: number;
  /**
   * Writes a new run, through a proxy, and ends it.
   * @returns its id
   */
  write(baseUrl: string, work: (writer: Writer) => Promise<void>): Promise<string>;
  /** The events of the log before the writer's first one. */
  readonly before: readonly unknown[];
}

const credential = { bearer: "ada" };

const KINDS: readonly Kind[] = [
  {
    name: "writer",
    runs: 25,
    before: [["RUN_STARTED", null]],
    async write(baseUrl, work) {
      // The fast clock outruns a busy machine.
      const run = await startRun({ baseUrl, credential, patienceMs: Number.POSITIVE_INFINITY });
      await work({
        emit: (eventType, payload) => run.emit(eventType, payload),
        append: (events) => run.append(events),
        wait: () => run.flush(),
      });
      await run.complete("done");
      return run.runId;
    },
  },
  {
    name: "task",
    runs: 10,
    before: [],
    async write(baseUrl, work) {
      const runId = await createRun(server.port);
      // On the fast clock this is a hundredth of the time for the server.
      await workRun({ runId, baseUrl, credential, leaseMs: 3_600_000 }, async (run) => {
        await work({
          emit: (eventType, payload) => run.emit(eventType, payload),
          append: (events) => run.append(events),
          wait: (next) => run.append([next()]),
        });
        return "done";
      });
      return runId;
    },
  },
];

async function play(
  { write, before }: Kind,
  { steps, faults }: { readonly steps: readonly Step[]; readonly faults: readonly Fault[] },
): Promise<void> {
  const proxy = await startFaultProxy(server.port, faults);
  const given: unknown[] = [];
  const next = (): Draft => {
    given.push(["TOKEN", given.length]);
    return { eventType: "TOKEN", payload: given.length - 1 };
  };
  try {
    const runId = await write(`http://127.0.0.1:${proxy.port}`, async (writer) => {
      for (const one of steps) {
        if (one.call === "wait") await writer.wait(next);
        else if (one.call === "append") void writer.append(Array.from({ length: one.count }, next));
        else for (let at = 0; at < one.count; at++) void writer.emit("TOKEN", next().payload);
      }
    });
    const log = await readLog(server.port, runId);
    expect(log).toEqual([...before, ...given, ["RUN_COMPLETED", "done"]]);
  } finally {
    proxy.close();
  }
}

it.each(KINDS)(
  "W9, W10: events of a $name behind a proxy that cuts, ends, stalls or splits are in the log once and in order",
  async (kind) => {
    const scripts = fc.array(script, { minLength: 20, maxLength: 20 });
    await onFastClock(() =>
      fc.assert(
        fc.asyncProperty(scripts, async (all) => {
          await Promise.all(all.map((one) => play(kind, one)));
        }),
        { numRuns: kind.runs },
      ),
    );
  },
  300_000,
);
