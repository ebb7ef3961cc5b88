import type { Child } from "./child.ts";
import type { FanoutServer } from "./fanout-server.ts";
import type { Readers } from "./readers.ts";
import { type Cost, costBetween } from "./rounds.ts";

/** One publish at a time: the next is asked for when every reader has had the last. */
export async function measureDeliveries(
  server: Child<FanoutServer>,
  readers: Child<Readers>,
  load: {
    readonly group: string;
    /** How many readers it has. */
    readonly count: number;
    /** How many events a publish has. */
    readonly burst: number;
    readonly publishes: number;
  },
): Promise<Cost> {
  const { group, count, burst, publishes } = load;
  const before = await server.call("usage");
  for (let published = 0; published < publishes; published++) {
    const sequence = await server.call("publish", burst);
    await readers.call("reach", { group, sequence });
  }
  return costBetween(before, await server.call("usage"), publishes * burst * count);
}

/** Says what a group's readers have had. @throws unless every one has had every event once and in order. */
export async function verifyDeliveries(readers: Child<Readers>, group: string): Promise<string> {
  const { bytes, least, greatest, wrong, open } = await readers.call("received", group);
  if (wrong > 0 || least !== greatest) {
    throw new Error(
      `${group}: ${wrong} events out of order, readers between ${least} and ${greatest}.`,
    );
  }
  return `${group}: ${open} readers had each of ${greatest} events once and in order, ${bytes} bytes.`;
}
