import { expect, onTestFinished, vi } from "vitest";
import { followInTabs, type SharedRunOptions } from "../../src/tabs/follow-in-tabs.ts";
import { createRunCell, type RunCell, type RunView } from "../../src/tabs/run-cell.ts";

/** A tab that follows a run. */
export interface Tab {
  readonly cell: RunCell;
  /** All that was shown. */
  readonly views: RunView[];
  readonly following: Promise<void>;
  close(): void;
}

/** Who shares. */
export const COOKIE = { credential: { cookie: "a=b" }, userId: "ada" } as const;

/** Node has the locks and channels of a page, so each of these is a tab. It is closed with the test. */
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

/** Waits until a tab shows so many events, and this state. */
export async function shows(tab: Tab, count: number, state: string): Promise<void> {
  await vi.waitFor(
    () => expect([tab.cell.view().events.length, tab.cell.view().state]).toEqual([count, state]),
    { timeout: 20_000 },
  );
}

/** Numbers in order, both ends among them. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Whether a view has every event from the first on, once and in order. */
export function isInOrder({ events }: RunView): boolean {
  return events.every(({ sequence }, index) => sequence === index + 1);
}
