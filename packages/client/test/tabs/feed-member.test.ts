import { expect, it } from "vitest";
import type { FeedChanges } from "../../src/feed/fold-changes.ts";
import { FeedCell } from "../../src/tabs/feed-cell.ts";
import { FeedMember } from "../../src/tabs/feed-member.ts";
import type { FeedMessage } from "../../src/tabs/tab-messages.ts";
import { snapshotOf } from "../feed/snapshot-of.ts";

const ALL = { topic: null, last: false };

function member(): FeedMember {
  const cell = new FeedCell(() => {});
  cell.wants = [ALL];
  return new FeedMember(cell, new AbortController().signal);
}

/** A change of run 1 after `from`, up to a number. */
function message(from: number, number: number, more: Partial<FeedMessage> = {}): FeedMessage {
  const changes: FeedChanges = {
    isReset: more.isWhole === true,
    runs: [{ run: snapshotOf(1, { lastSequence: number }) }],
    gone: [],
    cursor: "c",
    hasMore: more.hasRest === true,
  };
  return {
    type: "feed",
    feed: ALL,
    place: { hub: "h", number },
    from,
    isWhole: false,
    hasRest: false,
    changes,
    connection: "live",
    error: null,
    silentMs: 0,
    ...more,
  };
}

function numberOf({ cell }: FeedMember): number | undefined {
  return cell.list.runs.get("run-1")?.lastSequence;
}

it("W48: a tab takes changes that follow its own, asks for all runs where one is missing, and takes no old one", () => {
  const one = member();
  expect(one.accept(message(0, 1))).toBe(false);
  expect(one.accept(message(0, 3, { isWhole: true }))).toBe(true);
  expect(numberOf(one)).toBe(3);
  expect(one.accept(message(3, 4))).toBe(true);
  // Changes that were gathered, of which it has some.
  expect(one.accept(message(2, 6))).toBe(true);
  expect(numberOf(one)).toBe(6);
  expect(one.accept(message(1, 4))).toBe(true);
  expect(numberOf(one)).toBe(6);
  expect(one.accept(message(8, 9))).toBe(false);
  expect(numberOf(one)).toBe(6);
  // It says that it has nothing, so that the tab with the connection sends all.
  expect(one.wanted()?.place).toEqual({ hub: "", number: 0 });
  expect(one.accept(message(0, 9, { isWhole: true }))).toBe(true);
  expect(numberOf(one)).toBe(9);
});

it("W48: all runs that come again in several messages are taken together, and only by a tab that lacks some", () => {
  const one = member();
  expect(one.accept(message(0, 5, { isWhole: true, hasRest: true }))).toBe(true);
  expect(one.cell.has(ALL)).toBe(false);
  const rest = message(0, 5, { isWhole: true });
  const changes = {
    ...rest.changes,
    isReset: false,
    runs: [{ run: snapshotOf(2) }],
  } as FeedChanges;
  expect(one.accept({ ...rest, changes })).toBe(true);
  expect([...one.cell.list.runs.keys()]).toEqual(["run-1", "run-2"]);
  expect(one.cell.has(ALL)).toBe(true);
  const before = one.cell.list;
  expect(one.accept(message(0, 5, { isWhole: true }))).toBe(true);
  expect(one.cell.list).toBe(before);
});

it("a message about the connection alone shows whether a tab lacks changes", () => {
  const one = member();
  expect(one.accept(message(2, 2, { changes: null }))).toBe(false);
  one.accept(message(0, 2, { isWhole: true }));
  expect(one.accept(message(2, 2, { changes: null, connection: "paused" }))).toBe(true);
  expect(one.cell.connection.state).toBe("paused");
});
