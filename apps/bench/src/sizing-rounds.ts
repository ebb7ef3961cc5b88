import { setTimeout } from "node:timers/promises";
import type { startChild } from "./child.ts";
import type { Scale } from "./report.ts";
import { takeTurns } from "./rounds.ts";
import { CALIBRATING, HELD_OUT, type Mix } from "./sizing-mixes.ts";
import type { Measured } from "./sizing-solve.ts";
import { createStand, type SizingStand, type SizingStore } from "./sizing-stand.ts";

const ROUNDS = 3;
/** Each on runs of its own. */
const MIXES: readonly Mix[] = [...CALIBRATING, ...HELD_OUT];

/** How much is done. */
interface Amount {
  /** A mix. */
  readonly runs: number;
  /** A mix and round. */
  readonly seconds: number;
  /** Runs that nothing is appended to. */
  readonly quietRuns: number;
  /** How long nothing is appended before that is measured: V8 cleans up first. */
  readonly settleMs: number;
  /** As long as a heartbeat, so that each stream has one. */
  readonly idleMs: number;
}

const WHOLE: Amount = {
  runs: 100,
  seconds: 1.5,
  quietRuns: 2_000,
  settleMs: 8_000,
  idleMs: 15_000,
};
const QUICK: Amount = { runs: 25, seconds: 0.1, quietRuns: 50, settleMs: 0, idleMs: 200 };

/** What was measured of one store. */
export interface SizingRounds {
  /** The rounds of each mix by its name. */
  readonly mixes: ReadonlyMap<string, readonly Measured[]>;
  /** While nothing is appended: with the streams of the mixes, and with many more runs that have a stream each. */
  readonly idle: readonly Measured[];
  /** Resident memory of a live stream, in bytes. */
  readonly streamBytes: number;
  /** What the database wrote or holds an event, in bytes. */
  readonly bytesAnEvent: number;
}

/** Puts each load on two servers that share a store. */
export async function measureMixes(
  { quick, rounds }: Scale,
  store: SizingStore,
  start: typeof startChild,
): Promise<SizingRounds> {
  const amount = quick ? QUICK : WHOLE;
  const { runs, quietRuns } = amount;
  const stand = await createStand(store, runs * MIXES.length + quietRuns, start);
  const firstQuiet = runs * MIXES.length;
  const bytesAtFirst = (await store.usage()).bytes;
  const measureMix = createMeasure(stand, amount);
  const measureAll = (mixes: readonly Mix[]) =>
    takeTurns<string, Measured>(
      Math.min(rounds, ROUNDS),
      Object.fromEntries(mixes.map((mix) => [mix.name, () => measureMix.once(mix)])),
    );
  const rest = async (): Promise<Measured> => {
    await setTimeout(amount.settleMs);
    return stand.measure(() => setTimeout(amount.idleMs));
  };

  const readMixes = MIXES.filter(isRead);
  const streamBytes = await connectAll(stand, readMixes, runs);
  const read = await measureAll(readMixes);
  const withMixes = await rest();
  await stand.connect({ group: "quiet", first: firstQuiet, runs: quietRuns, readersARun: 1 });
  const withMore = await rest();
  // What a server hears of runs that it has no reader of is less than what so many streams take.
  await stand.disconnect();
  await stand.connect({ group: "only", first: firstQuiet, runs: 1, readersARun: 1 });
  const unread = await measureAll(MIXES.filter((mix) => !isRead(mix)));

  const acknowledged = measureMix.acknowledged();
  const logged = await stand.countEvents();
  if (logged !== acknowledged) {
    throw new Error(`Of ${acknowledged} acknowledged events the log holds ${logged}.`);
  }
  return {
    mixes: new Map([...Object.entries(read), ...Object.entries(unread)]),
    idle: [withMixes, withMore],
    streamBytes,
    bytesAnEvent: ((await store.usage()).bytes - bytesAtFirst) / acknowledged,
  };
}

function isRead({ readersARun }: Mix): boolean {
  return readersARun > 0;
}

/** @returns what memory a stream takes */
async function connectAll(
  stand: SizingStand,
  mixes: readonly Mix[],
  runs: number,
): Promise<number> {
  const bytesBefore = await stand.residentBytes();
  let streams = 0;
  for (const mix of mixes) {
    const { name, readersARun } = mix;
    await stand.connect({ group: name, first: MIXES.indexOf(mix) * runs, runs, readersARun });
    streams += runs * readersARun;
  }
  return ((await stand.residentBytes()) - bytesBefore) / streams;
}

/** Measures a mix, again and again; the readers of its runs are connected. */
function createMeasure(
  stand: SizingStand,
  { runs, seconds }: Amount,
): { once(mix: Mix): Promise<Measured>; acknowledged(): number } {
  const lastSequences = new Map<string, number>();
  let acknowledged = 0;
  return {
    async once(mix) {
      const { name, readersARun, eventsASecond, burst } = mix;
      const eventsARun = Math.ceil((eventsASecond * seconds) / runs);
      const events = eventsARun * runs;
      const sequence = (lastSequences.get(name) ?? 0) + eventsARun;
      lastSequences.set(name, sequence);
      const first = MIXES.indexOf(mix) * runs;
      acknowledged += events;
      return stand.measure(
        async () => {
          await stand.append({ first, runs, events, eventsASecond, burst });
          if (isRead(mix)) await stand.reach(name, sequence);
        },
        { appended: events, readersARun },
      );
    },
    acknowledged: () => acknowledged,
  };
}
