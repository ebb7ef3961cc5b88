import type { RunStatus } from "@tm/run-events-core";
import { isOwnerName, type LiveStatus, ownerName } from "@tm/run-events-core/store";

/** The keys of one run. They share a hash tag, so a cluster has them on one node and a script may use them together. */
interface RunKeys {
  /** A hash: the run's head. */
  readonly head: string;
  /** A stream: the events, with their sequence as the first half of the id. */
  readonly events: string;
  /** A hash: idempotency key to the first and last sequence of its append. */
  readonly receipts: string;
}

/** The names of the store's keys and channels in Redis. */
export interface Keys {
  /** The last ordinal that a run got. */
  readonly ordinal: string;
  ofRun(runId: string): RunKeys;
  /** Leases, by the earliest time when they may expire. */
  readonly held: string;
  /** Finished runs, by the earliest time when they may have finished. */
  readonly ended: string;
  /** Live runs in a status, by the earliest time from which on they may be idle. */
  idle(runStatus: LiveStatus): string;
  /** Keys that a probe writes to, in random slots. */
  probe(index: number): string;
  /** A sorted set for each owner and status, and for each topic of an owner and status. All of an owner are under one hash tag. */
  list(ownerId: string, runStatus: RunStatus, topic: string | null): string;
  /** The place of an owner's topic: which exclusive run it has. In the slot of the owner's lists. */
  place(ownerId: string, topic: string): string;
  /** The mark that a run can no longer be created with this ordinal. In the slot of the run. */
  voided(runId: string, ordinal: number): string;
  /**
   * The channel of a run, by its id, or of an owner, by core's `ownerName`. It has the hash tag of the run's keys, or of the owner's lists,
   * so the node that has them may publish on it.
   */
  channel(name: string): string;
  /** The name that has this channel. */
  nameOf(channel: string): string;
  /** What the channel of an owner begins with. The owner's id and a brace follow. */
  readonly ownerChannels: string;
}

const PREFIX = /^[^{}\s]+$/;

/**
 * The names under a prefix. Stores with different prefixes share nothing: the first brace ends the prefix, and the kind of
 * key follows the last colon.
 * @param keyPrefix what the client adds before each key; it does not add it to channels
 * @throws TypeError if the prefix is empty, or has a brace or white space in it
 */
export function keysOf(prefix: string, keyPrefix: string): Keys {
  if (!PREFIX.test(prefix)) {
    throw new TypeError(`Expected \`prefix\` to match ${PREFIX.source}, got \`${prefix}\`.`);
  }
  const runChannels = `${keyPrefix}${prefix}:{run:`;
  const ownerChannels = `${keyPrefix}${prefix}:{owner:`;
  return {
    ordinal: `${prefix}:ordinal`,
    held: `${prefix}:held`,
    ended: `${prefix}:ended`,
    idle: (runStatus) => `${prefix}:idle:${runStatus}`,
    probe: (index) => `${prefix}:probe:${index}`,
    ofRun(runId) {
      const run = `${prefix}:{run:${runId}}`;
      return { head: `${run}:head`, events: `${run}:events`, receipts: `${run}:receipts` };
    },
    list: (ownerId, runStatus, topic) => ownersKey(prefix, ownerId, runStatus, topic),
    place: (ownerId, topic) => ownersKey(prefix, ownerId, "place", topic),
    voided: (runId, ordinal) => `${prefix}:{run:${runId}}:void:${ordinal}`,
    ownerChannels,
    channel: (name) =>
      isOwnerName(name) ? `${ownerChannels}${name.slice(1)}}` : `${runChannels}${name}}`,
    nameOf: (channel) =>
      channel.startsWith(ownerChannels)
        ? ownerName(channel.slice(ownerChannels.length, -1))
        : channel.slice(runChannels.length, -1),
  };
}

/**
 * The tag begins with "owner:", since Redis ignores an empty tag, and an owner id may be any text. An encoded topic has no brace and no
 * colon, so that no owner's id and topic look like those of another list.
 */
function ownersKey(prefix: string, ownerId: string, kind: string, topic: string | null): string {
  const ofTopic = topic === null ? "" : `:topic=${encodeURIComponent(topic)}`;
  return `${prefix}:{owner:${ownerId}}${ofTopic}:${kind}`;
}
