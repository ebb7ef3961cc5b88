import { crc32 } from "node:zlib";
import { listedStatuses, type DueQuery, type RunName } from "@tm/run-events-core/store";
import type { RunStatus } from "@tm/run-events-core";

/**
 * The number of buckets that the owners are spread over. All keys of a bucket have one hash tag, `{0}` to `{63}`, so in a cluster a run, its
 * owner's lists, its topic's runs and its due time are on one node, and change in one script. The number and the hash are part of the format
 * for ever: with others no run would be found.
 */
export const BUCKETS = 64;

/** The keys of one run. */
export interface RunKeys {
  /** A string: the run's head. Its name is also the run's channel. */
  readonly head: string;
  /** A stream: the events, with their sequence as the first half of the id. */
  readonly events: string;
  /** A hash: idempotency key to receipt. */
  readonly receipts: string;
  readonly metadata: string;
}

/** The names of the store's keys and channels in Redis. */
export interface Keys {
  /** The number of the format that the keys have. */
  readonly format: string;
  /** The bucket of an owner's keys. */
  bucketOf(ownerId: string): number;
  ofRun(name: RunName): RunKeys;
  /** The last ordinal that a run of this bucket got. */
  ordinal(bucket: number): string;
  /** Sorted sets of run ids by ordinal, one for each status that is asked for: of an owner, or of one of its topics. */
  lists(
    ownerId: string,
    topic: string | null,
    runStatus: RunStatus | "live" | null,
  ): readonly string[];
  /** A sorted set of the bucket's runs that wait for something, as from `nameKey`, by `dueMs`. */
  due(bucket: number, kind: DueQuery["due"]): string;
  /** A key that a probe writes to. */
  probe(bucket: number): string;
  /** The key as the server knows it: a channel gets no prefix from the client. */
  channel(key: string): string;
  /** The name of an owner's channel, before {@link Keys.channel}. Its messages are run ids, with a space between. */
  ofOwner(ownerId: string): string;
}

const PREFIX = /^[^{}\s]+$/;

/**
 * The names under a prefix. Stores with different prefixes share nothing: the first brace ends the prefix. An owner's id, which may be any
 * text, is always the last part; run ids and encoded topics have no colon.
 * @param keyPrefix what the client adds before each key
 * @throws TypeError if the prefix is empty, or has a brace or white space in it
 */
export function keysOf(prefix: string, keyPrefix: string): Keys {
  if (!PREFIX.test(prefix)) {
    throw new TypeError(`Expected \`prefix\` to match ${PREFIX.source}, got \`${prefix}\`.`);
  }
  const start = (ownerId: string): string => inBucket(bucketOf(ownerId));
  const inBucket = (bucket: number): string => `${prefix}:{${bucket}}`;
  return {
    format: `${prefix}:format`,
    bucketOf,
    ofRun({ ownerId, runId }) {
      const bucket = start(ownerId);
      const run = `${runId}:${ownerId}`;
      return {
        head: `${bucket}:head:${run}`,
        events: `${bucket}:events:${run}`,
        receipts: `${bucket}:receipts:${run}`,
        metadata: `${bucket}:metadata:${run}`,
      };
    },
    ordinal: (bucket) => `${inBucket(bucket)}:ordinal`,
    lists(ownerId, topic, runStatus) {
      const kind = topic === null ? "owner" : `topic:${encodeURIComponent(topic)}`;
      return listedStatuses(runStatus).map(
        (status) => `${start(ownerId)}:${kind}:${status}:${ownerId}`,
      );
    },
    due: (bucket, kind) => `${inBucket(bucket)}:due:${kind}`,
    probe: (bucket) => `${inBucket(bucket)}:probe`,
    channel: (key) => `${keyPrefix}${key}`,
    ofOwner: (ownerId) => `${start(ownerId)}:changes:${ownerId}`,
  };
}

function bucketOf(ownerId: string): number {
  return crc32(ownerId) % BUCKETS;
}
