import fc from "fast-check";
import { expect, it } from "vitest";
import { createNotificationFilter } from "../src/notification-filter.ts";
import { cutUp, filterAll } from "./filter-chunks.ts";

const NAMES = ["message", "smessage", "pmessage"];
const CONFIRMATIONS = ["subscribe", "ssubscribe", "psubscribe", "unsubscribe", "invalidate"];

const scalar = fc.oneof(
  fc.constantFrom(
    "+OK\r\n",
    "-ERR no\r\n",
    ":7\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "_\r\n",
    "#t\r\n",
    ",1.5\r\n",
    "(9\r\n",
  ),
  fc.string({ unit: "binary", maxLength: 12 }).map(bulk),
  fc.constantFrom(...NAMES).map(bulk),
  fc.string({ maxLength: 9 }).map((text) => `=${text.length + 4}\r\ntxt:${text}\r\n`),
  fc.constant("!5\r\nERR x\r\n"),
);

const { element } = fc.letrec<{ element: string }>((tie) => ({
  element: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("element"), { maxLength: 3 }).map((items) => list("*", items)),
    fc.array(tie("element"), { maxLength: 3 }).map((items) => list("~", items)),
    fc
      .array(fc.tuple(tie("element"), tie("element")), { maxLength: 2 })
      .map((pairs) => `%${pairs.length}\r\n${pairs.flat().join("")}`),
    fc.tuple(scalar, scalar, tie("element")).map(([key, value, of]) => `|1\r\n${key}${value}${of}`),
  ),
}));

const kind = fc.constantFrom("*", ">");

const notification = fc
  .tuple(kind, fc.constantFrom(...NAMES), fc.array(element, { minLength: 1, maxLength: 3 }))
  .map(([letter, name, rest]) => ({ dropped: true, text: list(letter, [bulk(name), ...rest]) }));

const ordinary = fc
  .oneof(
    element,
    fc
      .tuple(kind, fc.constantFrom(...CONFIRMATIONS), element)
      .map(([letter, name, rest]) => list(letter, [bulk(name), rest])),
    // The name of a notification anywhere but first.
    fc
      .tuple(kind, element, fc.constantFrom(...NAMES))
      .map(([letter, first, name]) => list(letter, [list("*", [first]), bulk(name)])),
  )
  .filter((text) => !isNotification(text))
  .map((text) => ({ dropped: false, text }));

it("of the bytes of a Redis server exactly the messages of channels are dropped, however they are cut into chunks", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(ordinary, notification), { maxLength: 12 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
      fc.boolean(),
      (replies, sizes, dropping) => {
        const filter = createNotificationFilter("redis", () => dropping);
        const kept = replies.filter(({ dropped }) => !(dropping && dropped));
        expect(filterAll(filter, cutUp(encode(replies), sizes)).toString("latin1")).toBe(
          encode(kept).toString("latin1"),
        );
      },
    ),
  );
});

it.each([
  [
    "an attribute before a list that begins like a notification",
    "|1\r\n:1\r\n:2\r\n*1\r\n$7\r\nmessage\r\n",
  ],
  ["a list of nothing but a null", "*1\r\n$-1\r\n"],
])("%s passes at once", (_, text) => {
  const filter = createNotificationFilter("redis", () => true);
  expect(filter.filterServer(Buffer.from(text)).toString()).toBe(text);
});

it("a long reply passes while it comes", () => {
  const filter = createNotificationFilter("redis", () => true);
  const begun = Buffer.from("*2\r\n$100\r\nbegun");
  expect(filter.filterServer(begun)).toEqual(begun);
});

function isNotification(text: string): boolean {
  return /^[*>]\d+\r\n\$\d\r\n[sp]?message\r\n/.test(text);
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function list(letter: string, items: readonly string[]): string {
  return `${letter}${items.length}\r\n${items.join("")}`;
}

function encode(replies: readonly { readonly text: string }[]): Buffer {
  return Buffer.from(replies.map(({ text }) => text).join(""));
}
