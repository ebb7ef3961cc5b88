import { type Child, withChildren } from "./child.ts";
import { LEASE_STORES } from "./lease-log.ts";
import { PURGE_CALLERS, PURGE_EVENTS, type PurgeWorker } from "./purge-worker.ts";
import type { Figure, Scale, Section, Target } from "./report.ts";
import { ratios, takeTurns } from "./rounds.ts";

const BOUND = 1.5;
const RUNS = 100_000;
const QUICK_RUNS = 200;
/** As the reference server purges: batches of so many runs, for such a share of the time. */
const LIMIT = 25;
const SHARE = 0.02;
const MILLIS = 3_000;
const QUICK_MILLIS = 100;
const PERCENTILE = 0.99;

/** What removing old runs costs those who append meanwhile (S24). */
export const purge: Section = {
  name: "purge",
  question: `How long do the appends of ${PURGE_CALLERS} callers take while ${RUNS} runs are purged?`,
  async run(scale) {
    const targets: Target[] = [];
    const figures: Figure[] = [];
    // That each of them purges, the kit shows.
    for (const { name, withUrl } of scale.quick ? LEASE_STORES.slice(0, 1) : LEASE_STORES) {
      const part = await withUrl((url) => measureStore(scale, name, url));
      targets.push(...part.targets);
      figures.push(...part.figures);
    }
    return {
      targets,
      figures,
      notes: [
        `Each old run has ${PURGE_EVENTS} events. A process of its own purges batches of ${LIMIT} runs, for ${SHARE} of the time, as the server does.`,
      ],
    };
  },
};

function measureStore(
  { quick, rounds }: Scale,
  name: string,
  url: string,
): Promise<{ readonly targets: readonly Target[]; readonly figures: readonly Figure[] }> {
  return withChildren(async (start) => {
    const writer = start<PurgeWorker>(new URL("purge-ours.ts", import.meta.url), url);
    // It makes the tables before anybody else looks for them.
    await writer.call("fill", 1);
    const purger = start<PurgeWorker>(new URL("purge-ours.ts", import.meta.url), url);
    const count = quick ? QUICK_RUNS : RUNS;
    await purger.call("fill", count);
    // Whole batches, so that there are enough for the last round too.
    const share = Math.floor(count / (rounds + 1) / LIMIT) * LIMIT;
    const removed: number[] = [];
    const measured = await takeTurns(rounds, {
      quiet: async () => percentileOf(await writer.call("append", quick ? QUICK_MILLIS : MILLIS)),
      purging: async () => {
        const { tookMs, slow } = await appendWhilePurging(writer, purger, share);
        removed.push((share / tookMs) * 1_000);
        return slow;
      },
    });
    const target: Target = {
      name: `${name}: append p99 while purging / without`,
      unit: "×",
      values: ratios(measured.purging, measured.quiet),
      bound: BOUND,
      kind: "at most",
    };
    return {
      targets: [target],
      figures: [
        { name: `${name}: append p99 without`, unit: "ms", values: measured.quiet },
        { name: `${name}: append p99 while purging`, unit: "ms", values: measured.purging },
        { name: `${name}: purged`, unit: "runs/s", values: removed.slice(1) },
      ],
    };
  });
}

/** Appends until the purge is over, a short time after the other. */
async function appendWhilePurging(
  writer: Child<PurgeWorker>,
  purger: Child<PurgeWorker>,
  count: number,
): Promise<{ readonly tookMs: number; readonly slow: number }> {
  let isOver = false;
  const purging = purger.call("purge", { count, limit: LIMIT, share: SHARE }).finally(() => {
    isOver = true;
  });
  const tookMs: number[] = [];
  while (!isOver) tookMs.push(...(await writer.call("append", QUICK_MILLIS)));
  const purged = await purging;
  if (purged.gone < count) throw new Error(`Of ${count} runs ${purged.gone} were purged.`);
  return { tookMs: purged.tookMs, slow: percentileOf(tookMs) };
}

function percentileOf(tookMs: readonly number[]): number {
  const sorted = tookMs.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * PERCENTILE)] ?? Number.NaN;
}
