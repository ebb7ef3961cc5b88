import { type startChild, withChildren } from "./child.ts";
import type { FollowingProcess } from "./following-process.ts";
import type { FollowingServer } from "./following-server.ts";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { type Cost, costBetween, costFigures, cpuMicros, ratios, takeTurns } from "./rounds.ts";

const MOST = 1.3;
const KIB = 2 ** 10;
const BURST = 10;

/** What following many runs costs a process. */
export const following: Section = {
  name: "following",
  question: "What does the client cost a process that follows 1,000 runs, against a bare loop?",
  run: (scale) => withChildren((start) => measureFollowing(scale, start)),
};

/** One round of one subject. */
interface Measured {
  readonly single: Cost;
  readonly burst: Cost;
  /** A run, in bytes. */
  readonly inUse: number;
}

async function measureFollowing(
  { quick, rounds }: Scale,
  start: typeof startChild,
): Promise<Report> {
  const runs = quick ? 20 : 1_000;
  const times = quick ? 2 : 15;
  const measure = (kind: "ours" | "bare") => () => measureOnce(start, { kind, runs, times });
  const { ours, bare } = await takeTurns<"ours" | "bare", Measured>(rounds, {
    ours: measure("ours"),
    bare: measure("bare"),
  });
  const cpuOf = (all: readonly Measured[], what: "single" | "burst"): readonly number[] =>
    cpuMicros(all.map((one) => one[what]));
  const memoryOf = (all: readonly Measured[]): readonly number[] =>
    all.map(({ inUse }) => inUse / KIB);
  const target = (name: string, values: readonly number[]): Report["targets"][number] => ({
    name,
    unit: "×",
    values,
    bound: MOST,
    kind: "at most",
  });
  return {
    targets: [
      target(
        "CPU an event, single events: × bare",
        ratios(cpuOf(ours, "single"), cpuOf(bare, "single")),
      ),
      target(
        "CPU an event, bursts of ten: × bare",
        ratios(cpuOf(ours, "burst"), cpuOf(bare, "burst")),
      ),
      target("memory a run: × bare", ratios(memoryOf(ours), memoryOf(bare))),
    ],
    figures: [...figuresOf("ours", ours), ...figuresOf("bare", bare)],
    notes: [
      `${runs} runs, a stream each; every one had each event once and in order, in every round.`,
      "Memory: what the heap and its buffers hold after a garbage collection, less what they held before, a run.",
    ],
  };
}

function figuresOf(name: string, all: readonly Measured[]): readonly Figure[] {
  return [
    ...costFigures(
      `${name}, single events`,
      "event",
      all.map(({ single }) => single),
    ),
    ...costFigures(
      `${name}, bursts of ten`,
      "event",
      all.map(({ burst }) => burst),
    ),
    { name: `${name}, memory`, unit: "KiB/run", values: all.map(({ inUse }) => inUse / KIB) },
  ];
}

/** A server and a follower of their own: what one has left behind is not the next one's. */
async function measureOnce(
  start: typeof startChild,
  { kind, runs, times }: { readonly kind: string; readonly runs: number; readonly times: number },
): Promise<Measured> {
  const server = start<FollowingServer>(
    new URL("following-server.ts", import.meta.url),
    String(runs),
  );
  const follower = start<FollowingProcess>(new URL("following-process.ts", import.meta.url), kind);
  try {
    const port = await server.call("listen");
    const before = await follower.call("inUse");
    const followed = follower.call("follow", { port, runs });
    await server.call("append", 1);
    await followed;
    let last = 1;
    const deliver = async (times: number, events: number): Promise<Cost> => {
      const from = await follower.call("usage");
      for (let time = 0; time < times; time++) {
        last += events;
        await Promise.all([follower.call("reach", last), server.call("append", events)]);
      }
      return costBetween(from, await follower.call("usage"), runs * times * events);
    };
    // What compiles and grows at first is not the following of runs.
    await deliver(times, 1);
    await deliver(times, BURST);
    const single = await deliver(times, 1);
    const burst = await deliver(times, BURST);
    const inUse = ((await follower.call("inUse")) - before) / runs;
    const wrong = await follower.call("wrong");
    if (wrong > 0) throw new Error(`${kind}: ${wrong} events were not in order.`);
    return { single, burst, inUse };
  } finally {
    await Promise.all([follower.stop(), server.stop()]);
  }
}
