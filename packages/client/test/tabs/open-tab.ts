import { expect, onTestFinished, vi } from "vitest";
import type { SharedRunOptions } from "../../src/tabs/follow-in-tabs.ts";
import { type ConnectionOptions, TabConnection } from "../../src/tabs/tab-connection.ts";
import { MESSAGE_VERSION } from "../../src/tabs/tab-messages.ts";
import { linkAbort } from "../../src/http/link-abort.ts";
import type { FeedCell } from "../../src/tabs/feed-cell.ts";
import { createRunCell, type RunCell } from "../../src/tabs/run-cell.ts";
import type { RunView } from "../../src/store/run-view.ts";

/** What a tab has of a run. */
export type TabView = Pick<RunView, "events" | "state">;

/** A tab that follows a run. */
export interface Tab {
  readonly cell: RunCell;
  /** All views so far. */
  readonly views: TabView[];
  /** Resolves when the run is over, or the tab is closed. */
  readonly following: Promise<void>;
  close(): void;
}

/** A tab that follows any number of runs. */
export interface ManyRunsTab {
  /**
   * @param start the sequence before the first event
   * @param at the time of the event `start`
   */
  follow(runId: string, start?: number, at?: string): Tab;
  /** Follows the feed. @returns leaves it */
  followFeed(cell: FeedCell): () => void;
  hide(): void;
  show(): void;
  close(): void;
}

/** The user of the tabs. */
export const COOKIE = { credential: { cookie: "a=b" }, userId: "ada" } as const;

/** Opens a tab: Node has the locks and channels of a page. It is closed at the test's end. */
export function openManyRunsTab(options: ConnectionOptions): ManyRunsTab {
  const closed = new AbortController();
  const watching = new Set<(isHidden: boolean) => void>();
  let isHidden = false;
  let connection: TabConnection | null = null;
  const watch = (listener: (isHidden: boolean) => void): (() => void) => {
    watching.add(listener);
    listener(isHidden);
    return () => watching.delete(listener);
  };
  const turn = (next: boolean): void => {
    isHidden = next;
    for (const listener of watching) listener(next);
  };
  onTestFinished(() => closed.abort());
  return {
    follow(runId, start = 0, at) {
      const views: TabView[] = [];
      const { signal, abort } = linkAbort(closed.signal);
      const cell = createRunCell({ since: start, at }, () => views.push(viewOf(cell)));
      connection ??= new TabConnection(options, () => (connection = null), watch);
      return { cell, views, following: connection.follow(runId, cell, signal), close: abort };
    },
    followFeed(cell) {
      const { signal, abort } = linkAbort(closed.signal);
      connection ??= new TabConnection(options, () => (connection = null), watch);
      void connection.followFeed(cell, signal);
      return abort;
    },
    hide: () => turn(true),
    show: () => turn(false),
    close: () => closed.abort(),
  };
}

/**
 * Opens a tab that follows one run.
 * @param start the sequence before the tab's first event
 * @param at the time of the event `start`
 */
export function openTab({ runId, ...options }: SharedRunOptions, start?: number, at?: string): Tab {
  return openManyRunsTab(options).follow(runId, start, at);
}

/** Waits until a tab shows this many events, and this state. */
export async function shows(tab: Tab, count: number, state: string): Promise<void> {
  await vi.waitFor(
    () => {
      const { events, state: own } = tab.views.at(-1) ?? viewOf(tab.cell);
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
export function isInOrder({ events }: TabView): boolean {
  return events.every(({ sequence }, index) => sequence === index + 1);
}

function viewOf({ start, after, connection }: RunCell): TabView {
  return { events: after(start), state: connection().state };
}

/** Opens this many tabs of one user. */
export function openTabs(port: number, count: number): readonly ManyRunsTab[] {
  const options = { ...COOKIE, baseUrl: `http://127.0.0.1:${port}` };
  return Array.from({ length: count }, () => openManyRunsTab(options));
}

/** The channel of the tabs of a server. */
export function channelName(port: number): string {
  return `run-events ${MESSAGE_VERSION} ${JSON.stringify([`http://127.0.0.1:${port}/v1/agent-runs`, "ada"])}`;
}
