import type { RunRecord } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { numberOrNull } from "./head.ts";
import { defineReading, defineWriting, refuseOnReplica, type Script } from "./script.ts";

/**
 * What may come to pass with a run at some time: that its lease runs out, or that it has finished long ago. An index of such
 * entries is a sorted set, and in a cluster in another slot than the runs, so it only says where to look: the entry is there
 * before its lease or its end is, and its score is no later than the time that the run says. At whatever point a process
 * dies, there is an entry too many or one too early, never one too few. Whoever looks asks the run, and moves the entry to
 * its time or removes it.
 *
 * An entry is for one lease or one end, and so can be removed as soon as that is over, or cannot come true any more: whatever
 * comes after has an entry of its own.
 */
export interface DueEntry {
  readonly runId: string;
  /** Names the lease or the end beyond the run's id: the run's ordinal, and for a lease `/fence` behind it. */
  readonly mark: string;
}

/** A run, as far as an entry depends on it, and the time of the server that has it. */
export interface DueRun extends Pick<
  RunRecord,
  "ordinal" | "updatedAtMs" | "finishedAtMs" | "fence" | "leaseExpiresAtMs"
> {
  readonly nowMs: number;
}

/** What a run says of an entry. */
export interface DueTime {
  readonly atMs: number;
  /** Whether it has come true; else it may, no earlier than `atMs`. */
  readonly isTrue: boolean;
}

/** Asks an index for entries that were due some time ago, earliest first. */
export interface DueQuery {
  readonly index: string;
  /** How long ago, in milliseconds, by the clock of the index's server. */
  readonly ageMs: number;
  readonly limit: number;
  /** What the run, `null` if there is none, says of an entry; `null` if that is over. */
  readonly judge: (entry: DueEntry, run: DueRun | null, nowMs: number) => DueTime | null;
}

/** An entry as the index has it, and what its run says. */
interface Look {
  readonly entry: DueEntry;
  readonly score: number;
  readonly time: DueTime | null;
}

/** How many runs are looked at in one turn, unless more are asked for. */
const LOOKS = 50;
/** How many entries are moved in one command: Lua hands over only so many values. */
const MOVES = 1_000;

/**
 * The first entries of an index, each with its score, behind the server's time in milliseconds.
 *
 * KEYS: the index. ARGV: how long ago they were due in milliseconds, how many, the time of an earlier look or empty.
 */
const FIRST_DUE: Script = defineReading(`${refuseOnReplica("ZREM")}
local nowMs = tonumber(ARGV[3])
if not nowMs then
  local time = redis.call('TIME')
  nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
end
local latest = string.format('%.0f', nowMs - ARGV[1])
local entries = redis.call('ZRANGE', KEYS[1], '-inf', latest, 'BYSCORE', 'LIMIT', '0', ARGV[2], 'WITHSCORES')
return { string.format('%.0f', nowMs), entries }
`);

/** What an entry depends on. KEYS: head. Answers the fields, then the server's time in milliseconds. */
const DUE_RUN: Script = defineReading(`${refuseOnReplica("HDEL")}
local run = redis.call('HMGET', KEYS[1], 'ordinal', 'updatedAtMs', 'finishedAtMs', 'fence', 'leaseExpiresAtMs')
local time = redis.call('TIME')
run[6] = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return run
`);

/**
 * Moves entries that are there to later or to earlier scores. That takes no memory, so a Redis that is full lets it through:
 * what is to make room again begins with it. KEYS: the index. ARGV: `GT` or `LT`, then score and member of each.
 */
const MOVE: Script = defineWriting(
  `
return redis.call('ZADD', KEYS[1], 'XX', unpack(ARGV))
`,
  "frees",
);

/** Makes an entry; of one that is there already the earlier time stays. */
export async function addDue(
  { redis }: Connection,
  index: string,
  entry: DueEntry,
  atMs: string,
): Promise<void> {
  await redis.zadd(index, "LT", atMs, memberOf(entry));
}

/**
 * Moves an entry to an earlier time, if it is there. Of a lease that was made shorter by a process that has died before this,
 * the entry stands at most as late as that lease would have run out else.
 */
export async function hastenDue(
  connection: Connection,
  index: string,
  entry: DueEntry,
  atMs: number,
): Promise<void> {
  await move(connection, index, "LT", [{ entry, time: { atMs, isTrue: true } }]);
}

/** Removes an entry that is over, in its own time: what stays behind is removed by whoever looks. */
export function dropDue({ redis }: Connection, index: string, entry: DueEntry): void {
  redis.zrem(index, memberOf(entry)).catch(() => {
    // An entry too many does no harm.
  });
}

/**
 * Finds what is due. An entry that stands too early is moved to its time, and the beginning of the index read again, until it
 * is in order: so the earliest come first, and what is not due hides nothing.
 */
export async function findDue(
  connection: Connection,
  query: DueQuery,
): Promise<readonly DueEntry[]> {
  const { redis } = connection;
  const { index, ageMs, limit, judge } = query;
  /** The time of the first look, so that entries that come due meanwhile do not keep the looks from ending. */
  let now = "";
  /** They may come true as early as this, and so stay where they are. */
  const waiting = new Set<string>();

  async function lookAt(entry: DueEntry, score: number): Promise<Look> {
    const run = await dueRun(connection, entry.runId);
    return { entry, score, time: judge(entry, run, Number(now)) };
  }

  async function remove(over: readonly Look[]): Promise<void> {
    if (over.length === 0) return;
    await redis.zrem(index, ...over.map(({ entry }) => memberOf(entry)));
  }

  async function putOff(early: readonly Look[]): Promise<void> {
    await move(connection, index, "GT", early);
    // Between the look and the move a lease may have been made shorter: then one of the two sees it.
    const again = await Promise.all(early.map(({ entry, time }) => lookAt(entry, time?.atMs ?? 0)));
    const late = again.filter(({ time, score }) => time !== null && time.atMs < score);
    await move(connection, index, "LT", late);
  }

  for (;;) {
    const count = Math.max(limit, LOOKS) + waiting.size;
    const [firstNow, found] = (await connection.run(
      FIRST_DUE,
      [index],
      [String(ageMs), String(count), now],
    )) as readonly [string, readonly string[]];
    now = firstNow;
    const looks = await Promise.all(
      pairsOf(found).map(([member, score]) => lookAt(parseMember(member), Number(score))),
    );
    const over = looks.filter(({ time }) => time === null);
    const early = looks.filter(isEarly);
    for (const { entry, time, score } of looks) {
      if (time !== null && !time.isTrue && time.atMs <= score) waiting.add(memberOf(entry));
    }
    await Promise.all([remove(over), putOff(early)]);
    const firstEarly = looks.findIndex(isEarly);
    const due = looks
      .slice(0, firstEarly === -1 ? looks.length : firstEarly)
      .filter(({ time }) => time?.isTrue)
      .slice(0, limit);
    const isAll = firstEarly === -1 && looks.length < count;
    if (isAll || due.length === limit) return due.map(({ entry }) => entry);
  }
}

function isEarly({ score, time }: Look): boolean {
  return time !== null && time.atMs > score;
}

async function move(
  connection: Connection,
  index: string,
  to: "GT" | "LT",
  looks: readonly Pick<Look, "entry" | "time">[],
): Promise<void> {
  for (let at = 0; at < looks.length; at += MOVES) {
    const some = looks.slice(at, at + MOVES);
    const scored = some.flatMap(({ entry, time }) => [String(time?.atMs ?? 0), memberOf(entry)]);
    await connection.run(MOVE, [index], [to, ...scored]);
  }
}

async function dueRun(connection: Connection, runId: string): Promise<DueRun | null> {
  const { head } = connection.keys.ofRun(runId);
  const reply = (await connection.run(DUE_RUN, [head], [])) as readonly (string | null)[];
  const [ordinal, updated, finished, fence, lease, now] = reply;
  if (typeof ordinal !== "string") return null;
  return {
    ordinal: Number(ordinal),
    updatedAtMs: Number(updated),
    finishedAtMs: numberOrNull(finished),
    fence: Number(fence ?? 0),
    leaseExpiresAtMs: numberOrNull(lease),
    nowMs: Number(now),
  };
}

/** As the script of a claim writes it, too. */
function memberOf({ mark, runId }: DueEntry): string {
  return `${mark}:${runId}`;
}

function parseMember(member: string): DueEntry {
  const colon = member.indexOf(":");
  return { mark: member.slice(0, colon), runId: member.slice(colon + 1) };
}

function pairsOf(flat: readonly string[]): readonly (readonly [string, string])[] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [
    flat[at * 2] ?? "",
    flat[at * 2 + 1] ?? "",
  ]);
}
