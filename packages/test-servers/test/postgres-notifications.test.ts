import fc from "fast-check";
import { expect, it } from "vitest";
import { createNotificationFilter } from "../src/notification-filter.ts";
import { cutUp, filterAll } from "./filter-chunks.ts";

const SSL_REQUEST = [80_877_103];
const GSS_REQUEST = [80_877_104];

const startupMessage = encode(196_608, Buffer.from("user\0me\0\0"));

const message = fc.record({
  type: fc.constantFrom(..."ARZTDCENSG1".split("")),
  body: fc.uint8Array({ maxLength: 40 }),
});

it("of the bytes of a Postgres server exactly the notifications are dropped, however they are cut into chunks", () => {
  fc.assert(
    fc.property(
      fc.subarray([...SSL_REQUEST, ...GSS_REQUEST]),
      fc.array(message, { maxLength: 20 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
      fc.boolean(),
      (requests, messages, sizes, dropping) => {
        const filter = createNotificationFilter("postgres", () => dropping);
        for (const request of requests) {
          for (const piece of cutUp(encode(request), sizes)) filter.readClient(piece);
          expect(filter.filterServer(Buffer.from("N")).toString()).toBe("N");
        }
        for (const piece of cutUp(startupMessage, sizes)) filter.readClient(piece);
        const kept = messages.filter(({ type }) => !(dropping && type === "A"));
        expect(filterAll(filter, cutUp(Buffer.concat(messages.map(encodeTyped)), sizes))).toEqual(
          Buffer.concat(kept.map(encodeTyped)),
        );
      },
    ),
  );
});

it.each(["S", "G"])(
  "what follows the answer %s to a request for encryption passes unread",
  (answer) => {
    const filter = createNotificationFilter("postgres", () => true);
    filter.readClient(encode(SSL_REQUEST[0] ?? 0));
    // What would be the rest of an empty message, and a notification, if it were plain text.
    const said = Buffer.concat([
      Buffer.from(`${answer}\0\0\0\x04`),
      encodeTyped({ type: "A", body: Buffer.alloc(9) }),
    ]);
    expect(filter.filterServer(said)).toEqual(said);
  },
);

it("an error that answers a request for encryption is a message like any other", () => {
  const filter = createNotificationFilter("postgres", () => true);
  filter.readClient(encode(SSL_REQUEST[0] ?? 0));
  const error = encodeTyped({ type: "E", body: Buffer.from("AAAA") });
  expect(filterAll(filter, [error, encodeTyped({ type: "A", body: error })])).toEqual(error);
});

function encode(code: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, body]);
}

function encodeTyped({ type, body }: { readonly type: string; readonly body: Uint8Array }): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type), length, body]);
}
