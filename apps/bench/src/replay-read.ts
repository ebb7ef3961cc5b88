import { type Cost, measure } from "./rounds.ts";

/** A process that reads a whole log of its own, without a server. */
export interface LogReader {
  read(): Promise<Cost>;
}

/** Measures one reading. @throws unless it brings every sequence once and in order. */
export async function measureReading(
  events: number,
  read: () => Promise<readonly number[]>,
): Promise<Cost> {
  let sequences: readonly number[] = [];
  const cost = await measure(events, async () => {
    sequences = await read();
  });
  if (sequences.length !== events || sequences.some((sequence, at) => sequence !== at + 1)) {
    throw new Error(`Expected the events 1 to ${events}, got ${sequences.length}.`);
  }
  return cost;
}
