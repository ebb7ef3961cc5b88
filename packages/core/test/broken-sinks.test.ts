import { describe, expect, it, onTestFinished } from "vitest";
import { createFakeSink } from "./fake-sink.ts";
import { createStreamBench, letGo, type StreamBench, typesOf } from "./stream-bench.ts";

type Call = "write" | "end" | "destroy";

/** The error that a host's transport throws. */
const BROKEN = new TypeError("broken");

/** Opens a stream whose transport throws from a call on. */
async function openBroken(
  { streams, clock }: StreamBench,
  calls: readonly Call[],
): Promise<{ readonly broken: { isBroken: boolean }; readonly destroyed: () => number }> {
  const stream = streams.open({
    runId: "r",
    ownerId: "ada",
    since: 0,
    authorize: async () => null,
  });
  const sink = createFakeSink(() => clock.now());
  const broken = { isBroken: false };
  let destroyed = 0;
  const breakAt = (call: Call): void => {
    if (broken.isBroken && calls.includes(call)) throw BROKEN;
  };
  await stream.ready;
  stream.start({
    write(bytes) {
      breakAt("write");
      return sink.write(bytes);
    },
    end() {
      breakAt("end");
      sink.end();
    },
    destroy() {
      destroyed += 1;
      breakAt("destroy");
      sink.destroy();
      stream.closed();
    },
  });
  return { broken, destroyed: () => destroyed };
}

async function createBench(): Promise<StreamBench & { readonly errors: readonly unknown[] }> {
  const errors: unknown[] = [];
  const bench = await createStreamBench({ onError: (error) => errors.push(error) });
  onTestFinished(() => bench.log.close());
  return Object.assign(bench, { errors });
}

describe("a transport that throws", () => {
  it.each([
    ["takes an event", "write", { disconnected: 1 }],
    ["ends", "end", { run_finished: 1 }],
  ] as const)(
    "when it %s, its own stream is cut, and the end of the run reaches the other readers",
    async (_, call, ended) => {
      const bench = await createBench();
      const { broken, destroyed } = await openBroken(bench, [call]);
      const healthy = await bench.open();
      broken.isBroken = true;
      await bench.append("RUN_COMPLETED");
      await healthy.sink.first("run_finished");
      expect(bench.errors).toStrictEqual([BROKEN]);
      expect(destroyed()).toBe(1);
      expect(bench.streams.stats()).toStrictEqual({ open: 1, opened: 2, ended });
      letGo(healthy);
    },
  );

  it("W24: when it takes the frame of a refusal, `start` does not throw", async () => {
    const bench = await createBench();
    const fail = (): never => {
      throw BROKEN;
    };
    bench.streams.refuse(BROKEN).start({ write: fail, end: fail, destroy: fail });
    expect(bench.errors).toStrictEqual([BROKEN]);
  });

  it("when it is cut, the other streams are cut in their turn", async () => {
    const bench = await createBench();
    const healthy = await bench.open();
    const { broken, destroyed } = await openBroken(bench, ["destroy"]);
    broken.isBroken = true;
    await bench.append("RUN_COMPLETED");
    await healthy.sink.first("run_finished");
    bench.clock.advance(6_000);
    expect(healthy.sink.state).toBe("destroyed");
    expect(bench.errors).toStrictEqual([BROKEN]);
    expect(destroyed()).toBe(1);
    expect(bench.streams.stats()).toStrictEqual({ open: 0, opened: 2, ended: { run_finished: 2 } });
  });

  it("an `onError` that throws ends no other reader either", async () => {
    const bench = await createStreamBench({
      onError() {
        throw new Error("the host's log is broken");
      },
    });
    onTestFinished(() => bench.log.close());
    const { broken } = await openBroken(bench, ["write"]);
    const healthy = await bench.open();
    broken.isBroken = true;
    await bench.append("RUN_COMPLETED");
    await healthy.sink.first("run_finished");
    letGo(healthy);
  });
});

it("W26: a check of the reader that throws ends its own stream, and no other", async () => {
  const bench = await createBench();
  const healthy = await bench.open();
  const sink = createFakeSink(() => bench.clock.now());
  const stream = bench.streams.open({
    runId: "r",
    ownerId: "ada",
    since: 0,
    authorize() {
      throw BROKEN;
    },
  });
  await stream.ready;
  stream.start(sink);
  bench.clock.advance(15_000);
  await sink.first("error");
  expect(sink.frames.at(-1)?.data).toMatchObject({ code: "store_unavailable", retryable: true });
  expect(typesOf(healthy.sink)).toStrictEqual(["connected", "status"]);
  letGo(healthy);
  letGo({ stream, sink });
});
