import { createWatchers } from "@tm/run-events-core/store";
import type { MovedRun } from "./append.ts";
import { createHeads } from "./heads.ts";
import { encodeHints, type Hint, parseHints } from "./hints.ts";
import type { Listener, ListenerOptions } from "./listener.ts";
import type { Query } from "./query.ts";
import type { BigintColumn } from "./rows.ts";
import type { Statements } from "./statements.ts";
import { createHintTeller } from "./tell-hints.ts";

/** How often to look for what no notification has said, while LISTEN is not proven and while it is, in milliseconds. */
const FAST_POLL_MS = 50;
export const SLOW_POLL_MS = 1_000;
/** How long an append into a caller's transaction is looked for, in milliseconds. */
const JOINED_MS = 30_000;
/** Of the time, looking takes one part in this many at most, however long a look takes. */
const SHARE = 5;

/** The bells of one store. */
export interface Wakes {
  /** Adds a bell, and looks from now on; the returned function takes the bell off and may be called twice. */
  add(runId: string, wake: () => void): () => void;
  /** Tells of a commit of this store that moved runs, made one or removed one. */
  tell(hints: readonly Hint[]): void;
  /** Tells of an append once the caller's transaction, which it is a part of, has committed. */
  joined(run: MovedRun): void;
  /** Whether notifications are known to arrive. */
  isProven(): boolean;
  /** Takes all bells off and stops looking, and tells others what is left to tell, unless that takes long. */
  close(): Promise<void>;
}

/** What the bells hang on. */
export interface WakesOptions {
  readonly query: Query;
  readonly sql: Pick<Statements, "selectHeads">;
  /** `null` where no other process can be: then nothing is notified or listened to. */
  readonly listen: ((on: Pick<ListenerOptions, "onNotification" | "onProven">) => Listener) | null;
}

interface Joined extends MovedRun {
  readonly since: number;
}

/**
 * Keeps the bells. A commit of this process rings them and is notified to the others; what others notify rings them here;
 * and every watched run is looked at now and then in one query, since notifications can be lost. What all three say is
 * held against what the bells have rung for, so that one commit rings once, mostly.
 * @see S13-S15
 */
export function createWakes({ query, sql, listen }: WakesOptions): Wakes {
  const watchers = createWatchers();
  const heads = createHeads();
  /** How many bells a run has. */
  const bells = new Map<string, number>();
  const joined = new Map<string, Joined>();
  const listener = listen?.({ onNotification: hear, onProven }) ?? null;
  const teller = createHintTeller({
    ring: ringFor,
    send: listener && ((hints) => send(listener, hints)),
  });
  let pollTimer: NodeJS.Timeout | null = null;
  let pollAtMs = 0;
  let looking = false;
  let closed = false;

  function ringFor(hint: Hint): void {
    if (!bells.has(hint.runId)) return;
    // A hint without a head tells of a run that came or went, maybe both: it is not known what to hold it against.
    if (!("ordinal" in hint) || heads.see(hint.runId, hint)) watchers.ring(hint.runId);
  }

  function hear(payload: string): void {
    for (const hint of parseHints(payload)) ringFor(hint);
  }

  function onProven(proven: boolean): void {
    // What was notified while nobody listened is lost.
    if (proven) watchers.ringAll();
    else hurry();
  }

  function send(to: Listener, hints: Iterable<Hint>): Promise<void> {
    to.start();
    return to.send(encodeHints(hints));
  }

  async function look(): Promise<void> {
    pollTimer = null;
    if (!isNeeded()) return;
    looking = true;
    const startedAt = performance.now();
    let failed = false;
    try {
      const runIds = [...new Set([...bells.keys(), ...joined.keys()])];
      take((await query(sql.selectHeads, [runIds])) as readonly HeadRow[], runIds);
    } catch {
      // A bell is not the truth: what this look missed, the next one finds.
      failed = true;
    }
    looking = false;
    if (!closed && isNeeded()) arm(failed ? SLOW_POLL_MS : pauseAfter(startedAt));
  }

  /** Bells may have been added, taken off and rung since these rows were asked for. */
  function take(rows: readonly HeadRow[], runIds: readonly string[]): void {
    const found = new Map(rows.map((row) => [row.runId, headOf(row)]));
    for (const runId of runIds) {
      const head = found.get(runId) ?? null;
      if (bells.has(runId) && heads.see(runId, head)) watchers.ring(runId);
      const waiting = joined.get(runId);
      if (waiting === undefined) continue;
      const committed =
        head?.ordinal === waiting.ordinal && head.lastSequence >= waiting.lastSequence;
      if (committed && head !== null) teller.tell([head]);
      if (committed || performance.now() - waiting.since > JOINED_MS) joined.delete(runId);
    }
  }

  function pauseAfter(startedAt: number): number {
    const now = performance.now();
    const isYoung = [...joined.values()].some(({ since }) => now - since < SLOW_POLL_MS);
    if (!isYoung && (listener === null || listener.isProven())) return SLOW_POLL_MS;
    return Math.min(Math.max(FAST_POLL_MS, (SHARE - 1) * (now - startedAt)), SLOW_POLL_MS);
  }

  function isNeeded(): boolean {
    if (joined.size > 0) return true;
    // Where no other process can be, this one knows all that is committed outside of callers' transactions.
    return listener !== null && bells.size > 0;
  }

  function arm(delayMs: number): void {
    pollAtMs = performance.now() + delayMs;
    pollTimer = setTimeout(() => void look(), delayMs);
    // Whoever waits for a wake holds the process itself: a socket does, and so does core's tail.
    pollTimer.unref();
  }

  /** Looks soon, whatever pause was thought right before. */
  function hurry(): void {
    if (closed || looking || !isNeeded()) return;
    if (pollTimer !== null) {
      // Whoever hurries all the time must not put the look off all the time.
      if (pollAtMs <= performance.now() + FAST_POLL_MS) return;
      clearTimeout(pollTimer);
    }
    arm(FAST_POLL_MS);
  }

  function removeBell(runId: string): void {
    const left = (bells.get(runId) ?? 0) - 1;
    if (left > 0) {
      bells.set(runId, left);
      return;
    }
    bells.delete(runId);
    heads.forget(runId);
  }

  return {
    add(runId, wake) {
      const remove = watchers.add(runId, wake);
      bells.set(runId, (bells.get(runId) ?? 0) + 1);
      listener?.start();
      if (pollTimer === null) hurry();
      let removed = false;
      return () => {
        remove();
        if (!removed) removeBell(runId);
        removed = true;
      };
    },
    tell: (hints) => teller.tell(hints),
    joined(run) {
      joined.set(run.runId, { ...run, since: performance.now() });
      hurry();
    },
    isProven: () => listener?.isProven() ?? false,
    async close() {
      closed = true;
      watchers.clear();
      bells.clear();
      joined.clear();
      if (pollTimer !== null) clearTimeout(pollTimer);
      // By then the others have looked.
      await atMost(SLOW_POLL_MS, teller.close());
      listener?.close();
    },
  };
}

/** Waits for the promise, but not longer than that. It must not reject. */
function atMost(ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

interface HeadRow {
  readonly runId: string;
  readonly ordinal: BigintColumn;
  readonly lastSequence: BigintColumn;
}

function headOf(row: HeadRow): MovedRun {
  const { runId } = row;
  return { runId, ordinal: Number(row.ordinal), lastSequence: Number(row.lastSequence) };
}
