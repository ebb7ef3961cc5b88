import fc from "fast-check";
import { expect, it } from "vitest";
import { covers, type FeedWant, planFeed } from "../../src/feed/feed-want.ts";

const want: fc.Arbitrary<FeedWant> = fc.record({
  topic: fc.constantFrom(null, "a", "b", "c"),
  last: fc.boolean(),
});
const wants = fc.array(want, { maxLength: 5 });

it("W48: the one feed of a connection serves every list of the page", () => {
  fc.assert(
    fc.property(fc.option(want), wants, (current, all) => {
      const feed = planFeed(current, all);
      if (feed === null) expect(all).toEqual([]);
      else for (const one of all) expect(covers(feed, one)).toBe(true);
    }),
  );
});

it("W48: a feed has a topic as long as all lists have the same one, and last events if a list wants them", () => {
  fc.assert(
    fc.property(wants, (all) => {
      fc.pre(all.length > 0);
      const topics = new Set(all.map(({ topic }) => topic));
      expect(planFeed(null, all)).toEqual({
        topic: topics.size === 1 ? all[0]?.topic : null,
        last: all.some(({ last }) => last),
      });
    }),
  );
});

it("W48: a feed stays the same while it serves every list, because a feed that changes begins again", () => {
  fc.assert(
    fc.property(wants, wants, (before, after) => {
      const current = planFeed(null, before);
      const next = planFeed(current, after);
      const serves = current !== null && after.every((one) => covers(current, one));
      if (serves && after.length > 0) expect(next).toBe(current);
      else if (next !== null) expect(next).not.toBe(current);
    }),
  );
});
