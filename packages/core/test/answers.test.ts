import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonText } from "../src/rules/json-text.ts";
import {
  encodeLease,
  encodePage,
  encodeReceipt,
  encodeRun,
  encodeRunList,
} from "../src/wire/answers.ts";
import { jsonSample } from "./json-sample.ts";
import { runRecord, storedEvent } from "./run-record.ts";

const text = jsonSample.map(({ raw }) => JsonText.parse(raw).text);
const anyText = fc.string({ unit: "binary" });
const phase = fc.option(anyText.map((value) => JSON.stringify(value)));
const time = fc.nat({ max: 4_102_444_800_000 });

function valueOf(json: string | null): unknown {
  return json === null ? null : (JSON.parse(json) as unknown);
}

describe("encodePage", () => {
  it("W1, W15: encodePage writes the page, its payloads as they were stored", () => {
    fc.assert(
      fc.property(fc.array(text), phase, time, (payloads, current, createdAtMs) => {
        const events = payloads.map((payload, at) =>
          storedEvent({ sequence: at + 1, payload, createdAtMs }),
        );
        const json = encodePage({
          events,
          runStatus: "running",
          phase: current,
          lastSequence: 9,
          hasMore: true,
        });
        for (const payload of payloads) expect(json).toContain(`"payload":${payload},`);
        expect(JSON.parse(json)).toStrictEqual({
          events: events.map(({ sequence, eventType, payload }) => ({
            sequence,
            eventType,
            payload: valueOf(payload),
            createdAt: new Date(createdAtMs).toISOString(),
          })),
          runStatus: "running",
          currentPhase: valueOf(current),
          lastSequence: 9,
          hasMore: true,
        });
      }),
    );
  });
});

describe("encodeRun", () => {
  it("W8, W34: encodeRun writes the run, its metadata as it was stored, for any owner and topic", () => {
    fc.assert(
      fc.property(
        anyText,
        fc.option(anyText),
        text,
        phase,
        fc.option(time),
        (ownerId, topic, metadata, current, finishedAtMs) => {
          const run = { ownerId, topic, metadata, phase: current, finishedAtMs };
          const json = encodeRun(runRecord(run));
          expect(json).toContain(`"metadata":${metadata}}`);
          expect(JSON.parse(json)).toStrictEqual({
            runId: "r",
            ownerId,
            runStatus: "queued",
            currentPhase: valueOf(current),
            lastSequence: 0,
            createdAt: "1970-01-01T00:00:01.000Z",
            updatedAt: "1970-01-01T00:00:01.000Z",
            finishedAt: finishedAtMs === null ? null : new Date(finishedAtMs).toISOString(),
            topic,
            lease: null,
            metadata: valueOf(metadata),
          });
        },
      ),
    );
  });
});

it("W44: encodeRun writes which worker has the run and until when, for any name, and never its fence", () => {
  fc.assert(
    fc.property(fc.option(anyText), fc.option(time), (worker, leaseExpiresAtMs) => {
      const json = encodeRun(runRecord({ fence: 123_456, worker, leaseExpiresAtMs }));
      const { lease } = JSON.parse(json) as { readonly lease: unknown };
      const expected =
        leaseExpiresAtMs === null
          ? null
          : { worker, expiresAt: new Date(leaseExpiresAtMs).toISOString() };
      expect(lease).toStrictEqual(expected);
      expect(json).not.toContain("fence");
    }),
  );
});

describe("encodeRunList", () => {
  it("W14: encodeRunList writes the runs in their order, and the next cursor as text", () => {
    const runs = [runRecord({ runId: "b" }), runRecord({ runId: "a" })];
    const read = (next: number | null): unknown =>
      JSON.parse(encodeRunList({ runs, next })) as unknown;
    expect(read(7)).toMatchObject({ runs: [{ runId: "b" }, { runId: "a" }], nextCursor: "7" });
    expect(read(null)).toMatchObject({ nextCursor: null });
    expect(encodeRunList({ runs: [], next: null })).toBe('{"runs":[],"nextCursor":null}');
  });
});

describe("encodeReceipt", () => {
  it("W9: encodeReceipt writes the receipt, and nothing else", () => {
    const receipt = {
      firstSequence: 1,
      lastSequence: 2,
      runStatus: "running",
      currentPhase: "p",
      replayed: false,
    } as const;
    expect(encodeReceipt({ ...receipt, extra: 1 } as typeof receipt)).toBe(JSON.stringify(receipt));
  });
});

it("W31: encodeLease writes the fence and the time when the lease expires", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), time, (fence, leaseExpiresAtMs) => {
      expect(JSON.parse(encodeLease({ fence, leaseExpiresAtMs }))).toStrictEqual({
        fence,
        expiresAt: new Date(leaseExpiresAtMs).toISOString(),
      });
    }),
  );
});
