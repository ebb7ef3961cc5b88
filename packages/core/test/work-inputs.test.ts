import { describe, expect, it } from "vitest";
import type { WorkedRun } from "../src/work/worked-run.ts";
import { createDeferred } from "./deferred.ts";
import { REASON } from "./shutdown-reason.ts";
import { away, failureOf, LEASE, LEASE_MS, useWorkWorld } from "./work-world.ts";

const world = useWorkWorld();

/** The payloads of the inputs, until the iteration ends. */
async function payloadsOf(inputs: ReturnType<WorkedRun["inputs"]>): Promise<readonly unknown[]> {
  const payloads: unknown[] = [];
  for await (const { payload } of inputs) payloads.push(payload);
  return payloads;
}

describe("inputs of a worker", () => {
  it("W40: a task gets each input after its claim once, in order, and goes on from a sequence that it names", async () => {
    await world.others.input("r", "early");
    const done = createDeferred<void>();
    const work = world.runs.work("r", LEASE, async (run) => {
      const all = payloadsOf(run.inputs());
      const earlier = payloadsOf(run.inputs({ since: 0 }));
      await run.append([{ eventType: "A" }]);
      await done.promise;
      await run.complete();
      return [await all, await earlier];
    });
    await world.settle();
    await world.others.input("r", 1);
    await world.others.input("r", { two: 2 });
    await world.settle();
    done.resolve();
    expect(await work).toStrictEqual([
      [1, { two: 2 }],
      ["early", 1, { two: 2 }],
    ]);
  });

  it.each([
    ["the owner cancels the run", async (): Promise<void> => void (await world.others.cancel("r"))],
    [
      "the lease is lost",
      async (): Promise<void> => {
        world.intercepts.renew = away;
        await world.pass(2 * LEASE_MS);
      },
    ],
  ] as const)("W40: the iteration ends when %s, without an error", async (_, end) => {
    const ended: unknown[] = [];
    const work = world.runs.work("r", LEASE, async (run) => {
      ended.push(await payloadsOf(run.inputs()), run.signal.aborted);
    });
    await world.settle();
    await world.others.input("r", 1);
    await world.settle();
    const failure = failureOf(work);
    await end();
    await world.pass(100);
    await failure;
    expect(ended).toStrictEqual([[1], true]);
  });

  it("W40: a task that is over leaves no iteration behind", async () => {
    let inputs: AsyncIterator<unknown> | null = null;
    await world.runs.work("r", LEASE, async (run) => {
      inputs = run.inputs()[Symbol.asyncIterator]();
      void inputs.next();
      await world.settle();
    });
    expect(await (inputs as AsyncIterator<unknown> | null)?.next()).toStrictEqual({
      done: true,
      value: undefined,
    });
  });

  it("W15: a bad cursor is refused when the iteration begins", async () => {
    const work = world.runs.work("r", LEASE, async (run) => payloadsOf(run.inputs({ since: -1 })));
    await expect(work).rejects.toMatchObject({ code: "invalid_cursor" });
  });

  it("W39: no task appends an input, in any way", async () => {
    await world.runs.work("r", LEASE, async (run) => {
      const append = run.append([{ eventType: "INPUT_RECEIVED", payload: "mine" }]);
      await expect(append).rejects.toMatchObject({ code: "invalid_event" });
    });
    expect(await world.events()).toStrictEqual(["RUN_COMPLETED"]);
    await world.runs.create({ runId: "s" });
    const work = world.runs.work("s", LEASE, async (run) => run.emit("INPUT_RECEIVED"));
    await expect(work).rejects.toMatchObject({ code: "invalid_event" });
    const plain = world.runs.append("s", [{ eventType: "INPUT_RECEIVED" }]);
    await expect(plain).rejects.toMatchObject({ code: "invalid_event", details: { index: 0 } });
  });
});

describe("a question of a worker", () => {
  it("W40: a question lands after all events so far, the run waits, and the answer is the next input", async () => {
    const work = world.runs.work("r", LEASE, async (run) => {
      void run.emit("A");
      const { payload, sequence } = await run.ask({ question: "?" });
      return { payload, sequence };
    });
    await world.pass(10 * LEASE_MS);
    expect(await world.runs.get("r")).toMatchObject({ runStatus: "waiting", lastSequence: 2 });
    await world.others.input("r", "yes");
    expect(await work).toStrictEqual({ payload: "yes", sequence: 3 });
    expect(await world.events()).toStrictEqual([
      "A",
      'INPUT_REQUESTED {"question":"?"}',
      'INPUT_RECEIVED "yes"',
      'RUN_COMPLETED {"payload":"yes","sequence":3}',
    ]);
  });

  it("W40: an input that comes before the answer to the request has arrived is the answer", async () => {
    const gate = createDeferred<void>();
    world.intercepts.append = async (go) => {
      const answer = await go();
      await gate.promise;
      return answer;
    };
    const work = world.runs.work("r", LEASE, async (run) => (await run.ask("?")).payload);
    await world.settle();
    await world.others.input("r", "fast");
    await world.others.input("r", "second");
    gate.resolve();
    expect(await work).toBe("fast");
  });

  it("W40: questions take turns, and an input that is sent again under its key answers one", async () => {
    const work = world.runs.work("r", LEASE, async (run) =>
      Promise.all([run.ask(1), run.ask(2)]).then((both) => both.map(({ payload }) => payload)),
    );
    await world.settle();
    expect(await world.events()).toStrictEqual(["INPUT_REQUESTED 1"]);
    const key = { idempotencyKey: "k" };
    await world.others.input("r", "a", key);
    await world.others.input("r", "a", key);
    await world.settle();
    expect(await world.events()).toStrictEqual([
      "INPUT_REQUESTED 1",
      'INPUT_RECEIVED "a"',
      "INPUT_REQUESTED 2",
    ]);
    await world.others.input("r", "b");
    expect(await work).toStrictEqual(["a", "b"]);
  });

  it("W40: a question that is given up rejects with its reason, also in its turn, and the next one is asked", async () => {
    const first = new AbortController();
    const second = new AbortController();
    const third = createDeferred<unknown>();
    const failures: unknown[] = [];
    const work = world.runs.work("r", LEASE, async (run) => {
      const asked = [
        run.ask(1, { signal: first.signal }),
        run.ask(2, { signal: second.signal }),
      ].map(failureOf);
      const last = run.ask(3);
      failures.push(await asked[1], await asked[0]);
      third.resolve((await last).payload);
    });
    await world.settle();
    second.abort("no longer");
    await world.settle();
    first.abort("too slow");
    await world.settle();
    await world.others.input("r", "late");
    await work;
    expect(failures).toStrictEqual(["no longer", "too slow"]);
    expect(await third.promise).toBe("late");
    expect(await world.events()).toStrictEqual([
      "INPUT_REQUESTED 1",
      "INPUT_REQUESTED 3",
      'INPUT_RECEIVED "late"',
      "RUN_COMPLETED",
    ]);
  });

  it("W40: a shutdown gives the question up, and the run goes on waiting under another worker", async () => {
    const shutdown = new AbortController();
    const options = { ...LEASE, signal: shutdown.signal };
    const work = world.runs.work("r", options, async (run) => (await run.ask("?")).payload);
    await world.settle();
    shutdown.abort(REASON);
    await expect(work).rejects.toBe(REASON);
    expect(await world.runs.get("r")).toMatchObject({ runStatus: "waiting" });
    await world.others.input("r", "yes");
    const answer = await world.others.work("r", LEASE, async (run) => {
      for await (const { payload } of run.inputs({ since: 0 })) return payload;
      return null;
    });
    expect(answer).toBe("yes");
  });

  it.each(["cancel", "complete"] as const)(
    "W40: a %s during a question rejects it with run_finished",
    async (end) => {
      let run: WorkedRun | null = null;
      const work = world.runs.work("r", LEASE, async (one) => {
        run = one;
        await one.ask("?");
      });
      await world.settle();
      const failure = failureOf(work);
      if (end === "cancel") await world.others.cancel("r");
      else await (run as WorkedRun | null)?.complete();
      await world.pass(100);
      expect(await failure).toMatchObject({ code: "run_finished" });
    },
  );
});
