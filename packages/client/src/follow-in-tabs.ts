import { type RunEvent, RunEventsError } from "@tm/run-events-core";
import { followRun } from "./follow-run.ts";
import { linkAbort } from "./link-abort.ts";
import { pause } from "./pause.ts";
import type { RunCell } from "./run-cell.ts";
import type { ServerOptions } from "./server.ts";
import type { Standing } from "./standing.ts";

/** Which run is followed, and for whom. */
export interface SharedRunOptions extends ServerOptions {
  readonly runId: string;
  /** Who is signed in. What one user sees is never shown to another. */
  readonly userId?: string;
}

/** What tabs tell each other: one that waits asks for what is behind its cursor, and the one that has the connection tells. */
type Message = { readonly ask: number } | Told;

interface Told {
  /** Those behind `from`, up to the standing's cursor unless they would be too many for one message. */
  readonly events: readonly RunEvent[];
  readonly from: number;
  readonly standing: Standing;
  /** The standing's, whose class and code would be lost. */
  readonly error: Pick<RunEventsError, "code" | "message" | "details" | "retryable"> | null;
}

/** Of the messages. Tabs with pages of another version have a connection of their own. */
const VERSION = 2;
/** How often a tab that hears nothing asks whether the other is still there, in milliseconds. */
const ASK_MS = 15_000;
/** How long the answer may take at least, in milliseconds: a tab that is frozen gives none. */
const ANSWER_MS = 3_000;
/** How long the last word takes to the others at most, in milliseconds. */
const TOLD_MS = 1_000;
/** How many events one message holds at most, and where it ends, in characters of JSON. */
const MESSAGE_EVENTS = 1_000;
const MESSAGE_LENGTH = 262_144;

/**
 * Follows a run in one tab for all tabs of the origin that ask for it: the holder of a lock has the connection and tells the
 * others, and when it goes the next one goes on. Over HTTP/1.1 a browser has six connections to a host, and a stream takes
 * one for as long as it lasts. Where the host has no locks or channels, or refuses them, each has its own connection; so has a tab
 * with a token, unless it says whose it is.
 * @param cell is filled, and tells where to begin
 * @throws as `followRun`
 * @see https://www.w3.org/TR/web-locks/
 */
export async function followInTabs(
  options: SharedRunOptions,
  cell: RunCell,
  whole: AbortSignal,
): Promise<void> {
  const { baseUrl = "", runId, userId = "", credential = "session" } = options;
  const { locks } =
    (globalThis as { readonly navigator?: { readonly locks?: LockManager } }).navigator ?? {};
  const isSomebodys = credential === "session" || userId !== "";
  if (locks === undefined || typeof BroadcastChannel === "undefined" || !isSomebodys) {
    return lead(options, cell, whole, () => {});
  }
  const { signal, abort } = linkAbort(whole);
  const name = `run-events ${VERSION} ${JSON.stringify([baseUrl, runId, userId])}`;
  const channel = new BroadcastChannel(name);
  // Timers of a page that nobody sees come late, and the others may be seen.
  const { port1, port2 } = new MessageChannel();
  const over = Promise.withResolvers<void>();
  let isLeading = false;
  let isTelling = false;
  /** The cursor that the others have been told of. */
  let told = 0;
  let isAsking = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function after(ms: number, work: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  }

  function ask(): void {
    isAsking = true;
    channel.postMessage({ ask: cell.events.length });
    // All tabs have heard the last of it at the same time, and one of them is to take over.
    after(ANSWER_MS * (1 + Math.random()), () => take({ steal: true }));
  }

  function tell(since: number): void {
    const { events } = cell;
    const { error, ...standing } = cell.standing();
    let from = since;
    do {
      let to = from;
      for (let length = 0; length < MESSAGE_LENGTH && to < from + MESSAGE_EVENTS; to += 1) {
        if (to >= events.length) break;
        length += JSON.stringify(events[to]).length;
      }
      channel.postMessage({
        events: events.slice(from, to),
        from,
        standing,
        error: error && {
          code: error.code,
          message: error.message,
          details: error.details,
          retryable: error.retryable,
        },
      });
      from = to;
    } while (from < events.length);
  }

  function tellNews(): void {
    isTelling = false;
    if (!isLeading || signal.aborted) return;
    tell(told);
    told = cell.events.length;
  }

  /** What comes at once is told at once. */
  function tellSoon(): void {
    if (!isTelling) port2.postMessage(null);
    isTelling = true;
  }

  function hear({ events, from, standing, error }: Told): void {
    // This tab came later than what is told, and asks, once, for what was before.
    if (from > cell.events.length) return isAsking ? after(ANSWER_MS, ask) : ask();
    isAsking = false;
    after(ASK_MS, ask);
    cell.add(events);
    const own = cell.standing();
    // The rest is on its way.
    if (own.cursor < standing.cursor) return;
    const { state } = standing;
    cell.stand({
      // One that has just taken over, and is not as far yet, has no news of the run.
      ...(own.cursor === standing.cursor ? standing : own),
      state,
      error: error && new RunEventsError(error.code, error.message, error),
    });
    if (state === "finished" || state === "failed") over.resolve();
  }

  function take(how: LockOptions): void {
    const leading = linkAbort(signal);
    let progress: "none" | "leading" | "over" = "none";
    void locks
      ?.request(name, how, async () => {
        isLeading = true;
        progress = "leading";
        clearTimeout(timer);
        told = cell.events.length;
        try {
          await lead(options, cell, leading.signal, tellSoon);
        } finally {
          progress = "over";
          tellNews();
          // The next tab is not to take over what has just ended: the others are to hear of it first.
          await pause(TOLD_MS, leading.signal);
        }
      })
      .then(over.resolve, (error: unknown) => {
        isLeading = false;
        leading.abort(error);
        if (signal.aborted || progress === "over") return over.reject(error);
        // A page may have a lock manager that it must not use.
        if (progress === "none") {
          return lead(options, cell, signal, () => {}).then(over.resolve, over.reject);
        }
        // Another tab heard nothing of this one, which was frozen, and has taken the lock from it.
        after(0, ask);
        take({ signal });
      })
      .finally(leading.abort);
  }

  port1.onmessage = tellNews;
  channel.onmessage = ({ data }: MessageEvent<Message>): void => {
    if (!("ask" in data)) {
      if (!isLeading) hear(data);
    } else if (isLeading) tell(data.ask);
  };
  try {
    signal.throwIfAborted();
    after(0, ask);
    take({ signal });
    await over.promise;
  } finally {
    clearTimeout(timer);
    abort();
    channel.close();
    port1.close();
  }
}

async function lead(
  options: SharedRunOptions,
  cell: RunCell,
  signal: AbortSignal,
  onChange: () => void,
): Promise<void> {
  onChange();
  const follower = followRun({
    ...options,
    since: cell.events.length,
    signal,
    onStanding(standing) {
      cell.stand(standing);
      onChange();
    },
  });
  for await (const event of follower) {
    cell.add([event]);
    onChange();
  }
}
