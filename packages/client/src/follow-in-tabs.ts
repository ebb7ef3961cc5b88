import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import { type FollowOptions, followRun } from "./follow-run.ts";
import { linkAbort } from "./link-abort.ts";
import { pause } from "./pause.ts";
import type { RunCell } from "./run-cell.ts";
import type { Standing } from "./standing.ts";

/** What tabs tell each other: one that waits asks for what is behind its cursor, and the one that has the connection tells. */
type Message =
  | { readonly ask: number }
  | {
      readonly events: readonly RunEvent[];
      readonly from: number;
      readonly standing: Standing;
      /** The standing's, whose class and code would be lost. */
      readonly error: PlainError | null;
    };

type PlainError = Pick<RunEventsError, "code" | "message" | "details" | "retryable">;
type Telling = Omit<Exclude<Message, { readonly ask: number }>, "error">;

/** How often a tab that hears nothing asks whether the other is still there, in milliseconds. */
const ASK_MS = 15_000;
/** How long the answer may take at least, in milliseconds: a tab that is frozen gives none. */
const ANSWER_MS = 3_000;
/** How long the last word takes to the others at most, in milliseconds. */
const TOLD_MS = 1_000;
/** How many events one message holds. */
const MESSAGE_EVENTS = 1_000;

/**
 * Follows a run in one tab for all tabs of the origin that ask for it: the holder of a lock has the connection and tells the
 * others, and when it goes the next one goes on. Over HTTP/1.1 a browser has six connections to a host, and a stream takes
 * one for as long as it lasts. Where the host has no locks or channels, each has its own connection.
 * @param cell is filled, and tells where to begin
 * @throws as `followRun`
 * @see https://www.w3.org/TR/web-locks/
 */
export async function followInTabs(
  options: FollowOptions,
  cell: RunCell,
  whole: AbortSignal,
): Promise<void> {
  const { locks } =
    (globalThis as { readonly navigator?: { readonly locks?: LockManager } }).navigator ?? {};
  if (locks === undefined || typeof BroadcastChannel === "undefined") {
    return lead(options, cell, whole, () => {});
  }
  const { signal, abort } = linkAbort(whole);
  const name = `run-events ${options.baseUrl ?? ""} ${options.runId}`;
  const channel = new BroadcastChannel(name);
  const over = Promise.withResolvers<void>();
  let isLeading = false;
  let asking: ReturnType<typeof setTimeout> | undefined;

  function tell(told: Telling): void {
    const standing = { ...told.standing, error: null };
    channel.postMessage({ ...told, standing, error: plainError(told.standing.error) });
  }

  function askAfter(ms: number): void {
    clearTimeout(asking);
    asking = setTimeout(() => {
      channel.postMessage({ ask: cell.all().cursor });
      // All tabs have heard the last of it at the same time, and one of them is to take over.
      asking = setTimeout(() => take({ steal: true }), ANSWER_MS * (1 + Math.random()));
    }, ms);
  }

  function answer(since: number): void {
    const { events, ...standing } = cell.all();
    let from = since;
    do {
      tell({ events: events.slice(from, from + MESSAGE_EVENTS), from, standing });
      from += MESSAGE_EVENTS;
    } while (from < events.length);
  }

  function hear({
    events,
    from,
    standing,
    error,
  }: Exclude<Message, { readonly ask: number }>): void {
    const isWhole = from <= cell.all().cursor;
    // This tab came later than what is told, and asks for what was before.
    askAfter(isWhole ? ASK_MS : 0);
    if (!isWhole) return;
    cell.add(events);
    cell.stand({
      ...standing,
      error: error && new RunEventsError(error.code, error.message, error),
    });
    const isOver = standing.state === "finished" || standing.state === "failed";
    if (isOver && cell.all().cursor >= standing.cursor) over.resolve();
  }

  function take(how: LockOptions): void {
    const leading = linkAbort(signal);
    void locks
      ?.request(name, how, async () => {
        isLeading = true;
        clearTimeout(asking);
        const { signal } = leading;
        try {
          await lead(options, cell, signal, tell);
        } finally {
          // The next tab is not to take over what has just ended: the others are to hear of it first.
          await pause(TOLD_MS, signal);
        }
      })
      .then(over.resolve, (error: unknown) => {
        isLeading = false;
        leading.abort(error);
        // Another tab heard nothing of this one, which was frozen, and has taken the lock from it.
        const isStolen = !signal.aborted && (error as Error).name === "AbortError";
        if (!isStolen) return over.reject(error);
        askAfter(0);
        take({ signal });
      })
      .finally(leading.abort);
  }

  channel.onmessage = ({ data }: MessageEvent<Message>): void => {
    if ("ask" in data) {
      if (isLeading) answer(data.ask);
    } else if (!isLeading) {
      hear(data);
    }
  };
  try {
    signal.throwIfAborted();
    askAfter(0);
    take({ signal });
    await over.promise;
  } finally {
    clearTimeout(asking);
    abort();
    channel.close();
  }
}

function plainError(error: RunEventsError | null): PlainError | null {
  if (error === null) return null;
  const { code, message, details, retryable } = error;
  return { code, message, details, retryable };
}

async function lead(
  options: FollowOptions,
  cell: RunCell,
  signal: AbortSignal,
  tell: (told: Telling) => void,
): Promise<void> {
  let { events: _, ...standing }: Standing & { readonly events: unknown } = cell.all();
  tell({ events: [], from: standing.cursor, standing });
  const follower = followRun({
    ...options,
    since: standing.cursor,
    signal,
    onStanding(next) {
      const isEvent = next.cursor !== standing.cursor;
      standing = next;
      cell.stand(next);
      // An event is told with where it leads.
      if (!isEvent) tell({ events: [], from: next.cursor, standing });
    },
  });
  for await (const event of follower) {
    cell.add([event]);
    tell({ events: [event], from: event.sequence - 1, standing });
  }
}
