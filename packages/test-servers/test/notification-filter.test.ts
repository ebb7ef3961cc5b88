import fc from "fast-check";
import { expect, it } from "vitest";
import { filterFor } from "../src/notification-filter.ts";

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const list = (letter: string, items: readonly string[]): string =>
  `${letter}${items.length}\r\n${items.join("")}`;

function encodePostgres(type: string, body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type), length, body]);
}

/** The bytes that a server sends at a time, and whether they are a notification. */
interface Sent {
  readonly bytes: Buffer;
  readonly notifies: boolean;
}

const ofPostgres: fc.Arbitrary<Sent> = fc
  .tuple(fc.constantFrom("A", "R", "Z", "T", "D", "N", "S", "1"), fc.uint8Array({ maxLength: 40 }))
  .map(([type, body]) => ({ bytes: encodePostgres(type, body), notifies: type === "A" }));

/** Also texts that look like the protocol. */
const text = fc
  .oneof(fc.stringMatching(/^[\x20-\x7e]{0,12}$/), fc.constantFrom("*2", "$3"))
  .map(bulk);
const ofRedis: fc.Arbitrary<Sent> = fc
  .oneof(
    fc
      .tuple(fc.constantFrom("message", "smessage", "pmessage").map(bulk), text, text)
      .map((items) => ({ items, notifies: true })),
    fc
      .tuple(fc.constantFrom("subscribe", "ssubscribe", "unsubscribe", "pong").map(bulk), text)
      .map((items) => ({ items: [...items, ":1\r\n"], notifies: false })),
    // The name of a notification anywhere but first.
    fc.tuple(text, fc.constant(bulk("message"))).map((items) => ({ items, notifies: false })),
  )
  .chain(({ items, notifies }) =>
    fc
      .constantFrom("*", ">")
      .map((letter) => ({ bytes: Buffer.from(list(letter, items)), notifies })),
  );
const answer: fc.Arbitrary<Sent> = fc
  .constantFrom("+PONG\r\n", "-ERR no\r\n", "$-1\r\n", "*1\r\n$-1\r\n")
  .map((line) => ({ bytes: Buffer.from(line), notifies: false }));

it.each([
  ["Postgres", "\0\0\0\x12", ofPostgres],
  ["Redis", list("*", [bulk("SUBSCRIBE"), bulk("a")]), fc.oneof(ofRedis, answer)],
])(
  "of what a server of %s sends exactly the notifications are dropped, however it is cut into chunks",
  (_, greeting, arbitrary) => {
    const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 30 }));
    const law = fc.property(fc.array(arbitrary), sizes, fc.boolean(), (all, cuts, isDropping) => {
      const filter = filterFor(greeting, () => isDropping);
      const bytes = Buffer.concat(all.map((one) => one.bytes));
      const passed: (Buffer | undefined)[] = [];
      for (let at = 0; at < bytes.length;) {
        const end = at + Number(cuts.next().value);
        passed.push(filter?.(bytes.subarray(at, end)));
        at = end;
      }
      const kept = all.filter(({ notifies }) => !(isDropping && notifies));
      expect(Buffer.concat(passed.map((piece) => piece ?? Buffer.from("none")))).toEqual(
        Buffer.concat(kept.map((one) => one.bytes)),
      );
    });
    fc.assert(law);
  },
);

it("a connection of Redis that does not subscribe passes unread", () => {
  expect(filterFor(list("*", [bulk("PSYNC"), bulk("?"), bulk("-1")]), () => true)).toBeNull();
});
