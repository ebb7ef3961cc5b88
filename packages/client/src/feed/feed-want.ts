/** The runs that a feed has to send, and how much of each. */
export interface FeedWant {
  /** Only runs of this topic; `null` for all. */
  readonly topic: string | null;
  /** Whether each run comes with its last event. */
  readonly last: boolean;
}

/** Whether a feed sends all that is wanted. */
export function covers(feed: FeedWant, want: FeedWant): boolean {
  const hasTopic = feed.topic === null || feed.topic === want.topic;
  return hasTopic && (feed.last || !want.last);
}

/**
 * The feed that serves all of these, because a connection has one feed. A feed that does so already stays as it is, even if a smaller one
 * would do: a feed that changes begins again with all live runs.
 * @param current the feed that is followed
 * @returns `null` if nothing is wanted
 */
export function planFeed(current: FeedWant | null, wants: readonly FeedWant[]): FeedWant | null {
  const [first] = wants;
  if (first === undefined) return null;
  if (current !== null && wants.every((want) => covers(current, want))) return current;
  return {
    // Each list picks its own topic from all runs: a run has its topic with it.
    topic: wants.every(({ topic }) => topic === first.topic) ? first.topic : null,
    last: wants.some(({ last }) => last),
  };
}
