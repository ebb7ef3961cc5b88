import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AppendedEvent, type Delivery, judgeDelivery } from "../../src/http/judge-delivery.ts";

const event = fc.record({
  eventType: fc.constantFrom("NOTE", "TOKEN"),
  payload: fc.oneof(fc.jsonValue(), fc.string()),
});

/** A finished run, a cursor in it, and what a reader from there is owed. */
const owed = fc
  .array(event, { minLength: 1, maxLength: 8 })
  .chain((log) => fc.tuple(fc.constant(log), fc.nat(log.length)))
  .map(([log, since]) => ({ log, since, delivery: deliveryOf(log, since) }));

/** The same with at least one event in the delivery, and the place of one of them. */
const broken = owed
  .filter(({ delivery }) => delivery.length > 1)
  .chain(({ log, since, delivery }) =>
    fc.nat(delivery.length - 2).map((at) => ({ log, since, delivery, at })),
  );

function deliveryOf(log: readonly AppendedEvent[], since: number): Delivery {
  const events = log.map((one, index) => ({ ...one, sequence: index + 1 }));
  return [...events.slice(since), "end"];
}

/** The delivery with another event at a place. */
function changed(delivery: Delivery, at: number, members: Partial<AppendedEvent>): Delivery {
  return delivery.map((item, index) =>
    index === at && item !== "end" ? { ...item, ...members } : item,
  );
}

/** A change of a right delivery, and what is said of it; `SEQ` is the sequence of the place. */
const FAULTS: readonly (readonly [
  what: string,
  change: (delivery: Delivery, at: number) => Delivery,
  words: string,
])[] = [
  ["an event that is missing", (all, at) => all.toSpliced(at, 1), "^Expected event SEQ "],
  [
    "an event that came twice",
    (all, at) => all.toSpliced(at, 0, all[at] ?? "end"),
    " after event SEQ, got event SEQ\\.$",
  ],
  [
    "another payload than was appended",
    (all, at) => changed(all, at, { payload: { not: "so" } }),
    "^Expected event SEQ to be .*, got .*not",
  ],
  [
    "another type than was appended",
    (all, at) => changed(all, at, { eventType: "OTHER" }),
    "^Expected event SEQ to be .*, got .*OTHER",
  ],
  [
    "an end that comes early",
    (all, at) => [...all.slice(0, at), "end"],
    "^Expected event SEQ .*, got the end of the run\\.$",
  ],
  [
    "a delivery that stops early",
    (all, at) => all.slice(0, at),
    "^Expected event SEQ .*, got nothing more\\.$",
  ],
  [
    "a delivery without an end",
    (all) => all.slice(0, -1),
    "^Expected the end of the run after event \\d+, got nothing more\\.$",
  ],
  ["a second end", (all) => [...all, "end"], "^Expected nothing after the end, got the end"],
  [
    "an event after the end",
    (all, at) => [...all, all[at] ?? "end"],
    "^Expected nothing after the end, got event SEQ\\.$",
  ],
  [
    "an event that was never appended",
    (all) => all.toSpliced(-1, 0, { sequence: 99, eventType: "NOTE", payload: null }),
    "^Expected the end of the run after event \\d+, got event 99\\.$",
  ],
];

describe("judgeDelivery", () => {
  it("finds nothing in what is owed, from any cursor", () => {
    fc.assert(
      fc.property(owed, ({ log, since, delivery }) => {
        expect(judgeDelivery(log, since, delivery)).toBeNull();
      }),
    );
  });

  it.each(FAULTS)("finds %s, at its place", (_what, change, words) => {
    fc.assert(
      fc.property(broken, ({ log, since, delivery, at }) => {
        const found = judgeDelivery(log, since, change(delivery, at));
        expect(found).toMatch(new RegExp(words.replaceAll("SEQ", String(since + 1 + at))));
      }),
    );
  });

  it("finds any two events that changed places", () => {
    fc.assert(
      fc.property(broken, fc.nat(8), ({ log, since, delivery, at }, other) => {
        const to = other % (delivery.length - 1);
        fc.pre(to !== at);
        const moved = delivery.with(at, delivery[to] ?? "end").with(to, delivery[at] ?? "end");
        expect(judgeDelivery(log, since, moved)).not.toBeNull();
      }),
    );
  });
});
