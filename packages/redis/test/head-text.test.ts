import type { Head } from "@tm/run-events-core/store";
import { STATUSES } from "@tm/run-events-core/wire";
import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeHead, parseHead, versionOf } from "../src/head-text.ts";
import { encodeReceipt, parseReceipt } from "../src/receipt-text.ts";

const number = fc.maxSafeNat();
const text = fc.string({ unit: "binary" }).map((one) => one.toWellFormed());
const phase = fc.option(
  text.map((one) => JSON.stringify(one)),
  { nil: null },
);
const head: fc.Arbitrary<Head> = fc.record({
  ownerId: text,
  runId: fc.stringMatching(/^[A-Za-z0-9_-]{1,16}$/),
  ordinal: number,
  revision: number,
  runStatus: fc.constantFrom(...STATUSES),
  phase,
  lastSequence: number,
  updatedAtMs: number,
  fence: number,
  leaseExpiresAtMs: fc.option(number, { nil: null }),
  topic: fc.option(text, { nil: null }),
  exclusive: fc.boolean(),
  dueMs: number,
  extra: fc.json(),
});

it("S11: a head is read as it was written, with any texts", () => {
  fc.assert(
    fc.property(head, fc.boolean(), (one, hasReceipts) => {
      const encoded = encodeHead({ head: one, hasReceipts });
      expect(parseHead(one, encoded)).toEqual({ head: one, hasReceipts });
      expect(encoded.startsWith(versionOf(one))).toBe(true);
    }),
  );
});

it("S11: a receipt is read as it was written", () => {
  fc.assert(
    fc.property(
      number,
      number,
      fc.constantFrom(...STATUSES),
      phase,
      (first, last, runStatus, at) => {
        const receipt = { firstSequence: first, lastSequence: last, runStatus, phase: at };
        expect(parseReceipt(encodeReceipt(receipt))).toEqual(receipt);
      },
    ),
  );
});

it("S9: a head that another program has written is a damaged run", () => {
  expect(() => parseHead({ ownerId: "ada", runId: "a" }, "mine")).toThrow("The run is damaged");
});
