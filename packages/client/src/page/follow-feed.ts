import { type FeedWant, planFeed } from "../feed/feed-want.ts";
import { FollowedFeed } from "../feed/followed-feed.ts";
import type { RunsReader } from "../follow/follow-runs.ts";
import type { FeedCell } from "./feed-cell.ts";

/**
 * Reads the owner's feed into a cell: one feed, which serves what all views of the page want.
 * @returns stops reading
 */
export function followFeed(reader: RunsReader, cell: FeedCell): () => void {
  let feed: FeedWant | null = null;
  let stop = (): void => {};

  function plan(): void {
    if (cell.connection.state === "failed") return;
    const { list } = cell;
    const next = planFeed(feed ?? list.feed, cell.wants);
    if (next === feed) return;
    stop();
    stop = () => {};
    feed = next;
    if (next === null) return;
    const followed = new FollowedFeed(next, list, {
      onChange: () => cell.changeSoon(),
      onState: (connection) => cell.setConnection(connection),
    });
    stop = reader.follow(followed);
  }

  cell.onWants = plan;
  plan();
  return () => {
    cell.onWants = () => {};
    stop();
  };
}
