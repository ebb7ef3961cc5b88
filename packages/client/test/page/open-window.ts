import { expect, onTestFinished, vi } from "vitest";
import type { Part } from "../../src/follow/plan-attempt.ts";
import type { FeedWant } from "../../src/feed/feed-want.ts";
import type { onPresenceChange, Presence } from "../../src/follow/page-signals.ts";
import { linkAbort } from "../../src/http/link-abort.ts";
import { type ConnectionOptions, PageConnection } from "../../src/page/page-connection.ts";
import { SharedFeed } from "../../src/page/shared-feed.ts";
import { SharedRun } from "../../src/page/shared-run.ts";
import type { RunView } from "../../src/store/run-view.ts";

/** The state and the events of a run in a window. */
export type Shown = Pick<RunView, "events" | "state">;

/** A run that a window follows. */
export interface WindowRun {
  readonly shared: SharedRun;
  /** All that was shown so far. */
  readonly views: Shown[];
  /** Resolves when the run is over, or was left. */
  readonly over: Promise<void>;
  leave(): void;
}

/** A list that a window follows. */
export interface WindowFeed {
  readonly shared: SharedFeed;
  /** Shows the list that is wanted, in place of the one before. */
  want(want: FeedWant): void;
  leave(): void;
}

/** A window of a browser, with a connection of its own. */
export interface TestWindow {
  /** Follows a run, unless the window follows it already. */
  follow(runId: string): WindowRun;
  /** Follows the list. */
  followFeed(): WindowFeed;
  /** Hides the window, shows it again, or leaves its page. */
  turn(presence: Presence): void;
  close(): void;
  /** Whether something listens for its presence. */
  readonly isWatched: boolean;
}

/** The user of the windows. */
export const COOKIE = { credential: { cookie: "a=b" }, userId: "ada" } as const;

/** Makes this process look like a browser until the test's end: Node has the locks of one. `test/browser` has tests in a real one. */
export function stubBrowser(): void {
  vi.stubGlobal("location", { href: "http://127.0.0.1/" });
  onTestFinished(() => void vi.unstubAllGlobals());
}

/** Opens a window. It is closed at the test's end. */
export function openWindow(options: ConnectionOptions, presence: Presence = "visible"): TestWindow {
  const closed = new AbortController();
  const runs = new Map<string, WindowRun>();
  const watching = new Set<(presence: Presence) => void>();
  let connection: PageConnection | null = null;
  let now = presence;
  const watch: typeof onPresenceChange = (listener) => {
    const call = (presence: Presence): void => listener(presence, false);
    watching.add(call);
    call(now);
    return () => void watching.delete(call);
  };
  const open = (): PageConnection =>
    (connection ??= new PageConnection(options, () => (connection = null), watch));
  onTestFinished(() => closed.abort());
  return {
    follow(runId) {
      const known = runs.get(runId);
      if (known !== undefined) return known;
      const views: Shown[] = [];
      const { signal, abort } = linkAbort(closed.signal);
      const over = linkAbort(signal);
      const shared = new (class extends SharedRun {
        protected override connect(part: Part): void {
          open().follow(part, signal);
        }
      })({ ...options, runId });
      shared.join(() => {
        const view = shownIn(shared);
        views.push(view);
        if (["finished", "failed"].includes(view.state)) over.abort();
      });
      shared.follow({ since: 0, at: undefined });
      const run = { shared, views, over: untilAborted(over.signal), leave: abort };
      runs.set(runId, run);
      // At once, since a run may be followed again in the turn in which it was left.
      over.signal.addEventListener("abort", () => void runs.delete(runId));
      return run;
    },
    followFeed() {
      const { signal, abort } = linkAbort(closed.signal);
      const shared = new (class extends SharedFeed {
        protected override connect(part: Part, own: AbortSignal): void {
          open().follow(part, AbortSignal.any([signal, own]));
        }
      })(options);
      let stop = (): void => {};
      return {
        shared,
        want(want) {
          const before = stop;
          stop = shared.join({ want, onChange() {} });
          before();
        },
        leave: abort,
      };
    },
    turn(next) {
      now = next;
      for (const listener of watching) listener(next);
    },
    close: () => closed.abort(),
    get isWatched() {
      return watching.size > 0;
    },
  };
}

/** Opens this many windows of one user. */
export function openWindows(port: number, count: number): readonly TestWindow[] {
  const options = { ...COOKIE, baseUrl: `http://127.0.0.1:${port}` };
  return Array.from({ length: count }, () => openWindow(options));
}

/** A `fetch` that counts the requests that stay open: streams, and polls that the server holds. */
export function countHeld(): { readonly fetch: typeof fetch; readonly held: number } {
  const signals = new Set<AbortSignal>();
  return {
    fetch: async (input, init) => {
      const isHeld = /\/stream|wait=25/.test(addressOf(input));
      if (isHeld && init?.signal) signals.add(init.signal);
      return fetch(input, init);
    },
    // A request that is over has its signal aborted, too.
    get held() {
      return [...signals].filter(({ aborted }) => !aborted).length;
    },
  };
}

/** The address of a request. */
function addressOf(input: string | URL | Request): string {
  if (typeof input === "string") return input;
  return input instanceof URL ? input.href : input.url;
}

/** Waits until a run shows this many events, and this state. */
export async function shows(run: WindowRun, count: number, state: string): Promise<void> {
  await vi.waitFor(
    () => {
      const { events, state: own } = run.views.at(-1) ?? shownIn(run.shared);
      expect([events.length, own]).toEqual([count, state]);
    },
    { timeout: 20_000 },
  );
}

/** The numbers from one to the other, with both. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Whether a view has every event from the first on, once and in order. */
export function isInOrder({ events }: Shown): boolean {
  return events.every(({ sequence }, index) => sequence === index + 1);
}

function shownIn(shared: SharedRun): Shown {
  return { events: shared.after(shared.start), state: shared.connection.state };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve());
  if (!signal.aborted) await promise;
}
