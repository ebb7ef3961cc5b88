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

/** What is owed, with at least one event in it, and the place of one. */
const broken = owed
  .filter(({ delivery }) => delivery.length > 1)
  .chain(({ log, since, delivery }) =>
    fc.nat(delivery.length - 2).map((at) => ({ log, since, delivery, at })),
  );

function deliveryOf(log: readonly AppendedEvent[], since: number): Delivery {
  const events = log.map((one, index) => ({ ...one, sequence: index + 1 }));
  return [...events.slice(since), "end"];
}

/** Holds a change of a right delivery against the judge: it must be found, at the place where it is. */
function expectFound(
  change: (delivery: Delivery, at: number) => Delivery,
  words: (sequence: number) => RegExp,
): void {
  fc.assert(
    fc.property(broken, ({ log, since, delivery, at }) => {
      const said = judgeDelivery(log, since, change(delivery, at));
      expect(said).toMatch(words(since + 1 + at));
    }),
  );
}

describe("judgeDelivery", () => {
  it("finds nothing in what is owed, from any cursor", () => {
    fc.assert(
      fc.property(owed, ({ log, since, delivery }) => {
        expect(judgeDelivery(log, since, delivery)).toBeNull();
      }),
    );
  });

  it("finds an event that is missing", () => {
    expectFound(
      (delivery, at) => delivery.toSpliced(at, 1),
      (sequence) => new RegExp(`^Expected event ${sequence} `),
    );
  });

  it("finds an event that came twice", () => {
    expectFound(
      (delivery, at) => delivery.toSpliced(at, 0, delivery[at] ?? "end"),
      (sequence) => new RegExp(` after event ${sequence}, got event ${sequence}\\.$`),
    );
  });

  it("finds an event that is another than was appended", () => {
    expectFound(
      (delivery, at) =>
        delivery.map((item, index) =>
          index === at && item !== "end" ? { ...item, payload: { not: "so" } } : item,
        ),
      (sequence) => new RegExp(`^Expected event ${sequence} to be .*, got .*not`),
    );
    expectFound(
      (delivery, at) =>
        delivery.map((item, index) =>
          index === at && item !== "end" ? { ...item, eventType: "OTHER" } : item,
        ),
      (sequence) => new RegExp(`^Expected event ${sequence} to be .*, got .*OTHER`),
    );
  });

  it("finds an end that comes early, and a delivery that stops without one", () => {
    expectFound(
      (delivery, at) => [...delivery.slice(0, at), "end"],
      (sequence) => new RegExp(`^Expected event ${sequence} .*, got the end of the run\\.$`),
    );
    expectFound(
      (delivery, at) => delivery.slice(0, at),
      (sequence) => new RegExp(`^Expected event ${sequence} .*, got nothing more\\.$`),
    );
    expectFound(
      (delivery) => delivery.slice(0, -1),
      () => /^Expected the end of the run after event \d+, got nothing more\.$/,
    );
  });

  it("finds a second end, and an event after the end", () => {
    expectFound(
      (delivery) => [...delivery, "end"],
      () => /^Expected nothing after the end, got the end of the run\.$/,
    );
    expectFound(
      (delivery, at) => [...delivery, delivery[at] ?? "end"],
      (sequence) => new RegExp(`^Expected nothing after the end, got event ${sequence}\\.$`),
    );
  });

  it("finds an event that was never appended", () => {
    expectFound(
      (delivery) => delivery.toSpliced(-1, 0, { sequence: 99, eventType: "NOTE", payload: null }),
      () => /^Expected the end of the run after event \d+, got event 99\.$/,
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
