import type { RunStatus } from "@tm/run-events-core";

/** The keys of one run. They share a hash tag, so a cluster has them on one node and a script may use them together. */
interface RunKeys {
  /** A hash: the run as it stands. */
  readonly head: string;
  /** A stream: the events, with their sequence as the first half of the id. */
  readonly events: string;
  /** A hash: idempotency key to the first and last sequence that it stands for. */
  readonly receipts: string;
}

/** Names what the store has in Redis. */
export interface Keys {
  /** The last ordinal that was given out. */
  readonly ordinal: string;
  ofRun(runId: string): RunKeys;
  /** Leases by when they run out, at the earliest. */
  readonly held: string;
  /** Finished runs by when they did, at the earliest. */
  readonly ended: string;
  /** Keys that a probe writes to, each in a slot of its own. */
  probe(index: number): string;
  /** A sorted set for each owner and status, all of an owner under one hash tag. */
  list(ownerId: string, runStatus: RunStatus): string;
  /** The channel of a run's notification. It has the hash tag of the run's keys, so the node that has them may publish on it. */
  channel(runId: string): string;
  runIdOf(channel: string): string;
}

const PREFIX = /^[^{}\s]+$/;

/**
 * The names behind a prefix. Stores with different prefixes share nothing: the first brace ends the prefix, and the last
 * colon begins what kind of key it is.
 * @param keyPrefix what the client itself puts before each key; it does not do so with channels
 * @throws TypeError if the prefix is empty or has a brace or white space in it
 */
export function keysOf(prefix: string, keyPrefix: string): Keys {
  if (!PREFIX.test(prefix)) {
    throw new TypeError(`Expected \`prefix\` to match ${PREFIX.source}, got \`${prefix}\`.`);
  }
  const channelStart = `${keyPrefix}${prefix}:{run:`;
  return {
    ordinal: `${prefix}:ordinal`,
    held: `${prefix}:held`,
    ended: `${prefix}:ended`,
    probe: (index) => `${prefix}:probe:${index}`,
    ofRun(runId) {
      const run = `${prefix}:{run:${runId}}`;
      return { head: `${run}:head`, events: `${run}:events`, receipts: `${run}:receipts` };
    },
    // The tag has letters of its own: an empty one would be none, and an owner may be called anything.
    list: (ownerId, runStatus) => `${prefix}:{owner:${ownerId}}:${runStatus}`,
    channel: (runId) => `${channelStart}${runId}}`,
    runIdOf: (channel) => channel.slice(channelStart.length, -1),
  };
}
