import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { requests } from "@tm/run-events-core/wire";
import { createOutputEncoder, MAX_PIECE_BYTES } from "../src/output-event.ts";

const piece = (text: string, continues = false): { bytes: Buffer; continues: boolean } => ({
  bytes: Buffer.from(text),
  continues,
});

describe("an output's events", () => {
  it("an output's events hold every byte, as UTF-8 text or else in base64", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (array) => {
        const bytes = Buffer.from(array);
        const { payload } = createOutputEncoder("STDERR")({ bytes, continues: false });
        const { line, base64 } = payload as { line: string; base64?: string };
        expect(base64 === undefined ? Buffer.from(line) : Buffer.from(base64, "base64")).toEqual(
          bytes,
        );
      }),
    );
  });

  it("W9: an output's events stay within a payload's limit, for any bytes", () => {
    for (const byte of [0x00, 0x1b, 0x22, 0x41, 0x7f, 0xff]) {
      for (const last of [byte, 0xff]) {
        const bytes = Buffer.alloc(MAX_PIECE_BYTES, byte);
        bytes[MAX_PIECE_BYTES - 1] = last;
        const { payload } = createOutputEncoder("STDOUT")({ bytes, continues: true });
        expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThanOrEqual(
          requests.MAX_PAYLOAD_BYTES,
        );
      }
    }
  });

  it("W6: only a whole `::group::` line of standard output starts a phase", () => {
    const encode = createOutputEncoder("STDOUT");
    expect(encode(piece("::group::packages/core\r"))).toEqual({
      eventType: "PHASE_STARTED",
      payload: { phase: "packages/core" },
    });
    for (const line of ["::group::", "::group:: ", " ::group::a", "::endgroup::"]) {
      expect(encode(piece(line))).toEqual({ eventType: "STDOUT", payload: { line } });
    }
    const long = piece("::group::a", true);
    expect(encode(long)).toEqual({
      eventType: "STDOUT",
      payload: { line: "::group::a", continues: true },
    });
    expect(encode(piece("::group::b"))).toMatchObject({ eventType: "STDOUT" });
    expect(encode(piece("::group::c"))).toMatchObject({ eventType: "PHASE_STARTED" });
    expect(createOutputEncoder("STDERR")(piece("::group::a"))).toMatchObject({
      eventType: "STDERR",
    });
  });
});
