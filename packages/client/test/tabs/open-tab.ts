import { expect, onTestFinished, vi } from "vitest";
import { followInTabs, type SharedRunOptions } from "../../src/tabs/follow-in-tabs.ts";
import { createRunCell, type RunCell } from "../../src/tabs/run-cell.ts";
import type { RunView } from "../../src/store/run-view.ts";

/** What a tab has of a run. */
export type TabView = Pick<RunView, "events" | "state">;

/** A tab that follows a run. */
export interface Tab {
  readonly cell: RunCell;
  /** All views so far. */
  readonly views: TabView[];
  readonly following: Promise<void>;
  close(): void;
}

/** The user of the tabs. */
export const COOKIE = { credential: { cookie: "a=b" }, userId: "ada" } as const;

/**
 * Opens a tab: Node has the locks and channels of a page. It is closed at the test's end.
 * @param start the sequence before the tab's first event
 */
export function openTab(options: SharedRunOptions, start = 0): Tab {
  const views: TabView[] = [];
  const left = new AbortController();
  const cell = createRunCell(start, () => views.push(viewOf(cell)));
  const following = followInTabs(options, cell, left.signal);
  following.catch(() => {});
  onTestFinished(() => left.abort());
  return { cell, views, following, close: () => left.abort() };
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
