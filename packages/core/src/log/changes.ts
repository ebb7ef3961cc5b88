import type { Feeds } from "../follow/feeds.ts";
import { checkChangeCursor } from "../rules/change-cursor.ts";
import { checkOptions, checkOwnerId } from "../rules/owner.ts";
import { checkTopic } from "../rules/topic.ts";
import type { ChangedScope } from "../rules/changed.ts";
import { abortable, heldOpen } from "../time/held.ts";
import { checkLimit } from "./check-limit.ts";
import type { ChangesOptions, RunLog } from "./run-log.ts";

/** Makes the calls for an owner's changed runs. */
export function createChanges(
  feeds: Feeds,
): Pick<RunLog, "listChanged" | "waitForChanges" | "changes"> {
  return {
    async listChanged({ signal, ...query }) {
      const scope = scopeOf(query);
      checkLimit("limit", query.limit);
      const since = checkChangeCursor(query.since);
      return feeds.list({ ...scope, since, limit: query.limit }, signal);
    },
    async waitForChanges(options) {
      const { since, limit, last: withLast = false } = options;
      checkLimit("limit", limit);
      const feed = feeds.open(scopeOf(options), { since, withLast, limit });
      try {
        const page = await abortable(feed.next(), options.signal);
        return { ...page, hasMore: page.hasMore || feed.isBehind };
      } finally {
        feed.leave();
      }
    },
    async *changes(options) {
      const { since = null, last = false, signal } = options;
      signal?.throwIfAborted();
      const feed = feeds.open(scopeOf(options), { since, withLast: last });
      try {
        for (;;) {
          yield await heldOpen(feed.next(), signal);
          signal?.throwIfAborted();
        }
      } finally {
        feed.leave();
      }
    },
  };
}

/** @throws RunEventsError `invalid_request` */
function scopeOf(options: Pick<ChangesOptions, "ownerId" | "topic">): ChangedScope {
  checkOptions(options, "{ ownerId }");
  checkOwnerId(options.ownerId);
  return { ownerId: options.ownerId, topic: checkTopic(options.topic) };
}
