import { expect, onTestFinished, vi } from "vitest";
import { followInTabs, type SharedRunOptions } from "../../src/tabs/follow-in-tabs.ts";
import { createRunCell, type RunCell, type RunView } from "../../src/tabs/run-cell.ts";

/** A tab that follows a run. */
export interface Tab {
  readonly cell: RunCell;
  /** All views so far. */
  readonly views: RunView[];
  readonly following: Promise<void>;
  close(): void;
}

/** The user of the tabs. */
export const COOKIE = { credential: { cookie: "a=b" }, userId: "ada" } as const;

/** Opens a tab: Node has the locks and channels of a page. It is closed at the test's end. */
export function openTab(options: SharedRunOptions): Tab {
  const cell = createRunCell();
  const views: RunView[] = [];
  const left = new AbortController();
  cell.subscribe(() => views.push(cell.view()));
  const following = followInTabs(options, cell, left.signal);
  following.catch(() => {});
  onTestFinished(() => left.abort());
  return { cell, views, following, close: () => left.abort() };
}

/** Waits until a tab shows this many events, and this state. */
export async function shows(tab: Tab, count: number, state: string): Promise<void> {
  await vi.waitFor(
    () => expect([tab.cell.view().events.length, tab.cell.view().state]).toEqual([count, state]),
    { timeout: 20_000 },
  );
}

/** The numbers from one to the other, with both. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Whether a view has every event from the first on, once and in order. */
export function isInOrder({ events }: RunView): boolean {
  return events.every(({ sequence }, index) => sequence === index + 1);
}
