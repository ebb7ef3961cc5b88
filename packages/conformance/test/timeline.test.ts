import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AppendOperation, Operation, Violation } from "../src/history/operation.ts";
import { drawTimeline } from "../src/history/timeline.ts";
import { historyArbitrary } from "./simulated-history.ts";

/** A violation that these calls show. */
function shownBy(operations: readonly Operation[]): Violation {
  return { clause: "S4", message: "it is broken", operations };
}

const append: AppendOperation = {
  kind: "append",
  client: "1",
  runId: "run",
  begunAt: 1,
  endedAt: 4,
  call: 1,
  ids: ["1.0.0", "1.0.1"],
  idempotencyKey: "k",
  expectedSequence: 0,
  fence: 2,
  byOwner: false,
  result: {
    outcome: "appended",
    firstSequence: 1,
    lastSequence: 2,
    runStatus: "running",
    phaseId: null,
  },
};
const read: Operation = {
  kind: "read",
  client: "2",
  runId: "run",
  begunAt: 2,
  endedAt: 3,
  since: 0,
  ids: ["1.0.0"],
  lastSequence: 1,
  runStatus: "running",
  phaseId: null,
};
const lost: Operation = {
  ...append,
  fence: null,
  client: "3",
  begunAt: 5,
  endedAt: null,
  ids: ["3.0.0"],
  idempotencyKey: null,
  expectedSequence: null,
  result: { outcome: "unknown" },
};

describe("drawTimeline", () => {
  it("draws what was asked and answered about leases", () => {
    const base = { kind: "lease", client: "1", runId: "run", leaseMs: 9 } as const;
    const claim = { ...base, begunAt: 1, endedAt: 2, asks: "claim", fence: null } as const;
    const granted = { outcome: "granted", fence: 4, lastSequence: 7 } as const;
    const renewal = { ...base, begunAt: 3, endedAt: 4, asks: "renew", fence: 4 } as const;
    const release = { ...base, begunAt: 5, endedAt: null, asks: "release", fence: 4 } as const;
    const operations: readonly Operation[] = [
      { ...claim, result: granted },
      { ...renewal, result: { outcome: "fenced" } },
      { ...release, leaseMs: 0, result: { outcome: "unknown" } },
    ];
    expect(drawTimeline({ operations }, shownBy([]))).toBe(
      [
        "   client 1",
        "1   claim 9 ms",
        "2   = granted 4 at 7",
        "3   renew 4 9 ms",
        "4   = fenced",
        "5   release 4",
      ].join("\n"),
    );
  });

  it("draws a column a client and a line an instant, with stars at what shows the violation", () => {
    expect(drawTimeline({ operations: [append, read, lost] }, shownBy([read]))).toBe(
      [
        "   client 1                                      client 2                      client 3",
        "1   append 1.0.0..1.0.1 fence 2 key k expects 0",
        "2                                                *read after 0",
        "3                                                *= 1-1 1.0.0, head 1 running",
        "4   = appended 1-2",
        "5                                                                               append 3.0.0",
      ].join("\n"),
    );
  });

  it("has a line for the beginning and the end of each call, in the order of the instants", () => {
    fc.assert(
      fc.property(historyArbitrary(12), fc.nat(11), ({ operations }, pick) => {
        const star = operations[pick % operations.length];
        const found = shownBy(star === undefined ? [] : [star]);
        const lines = drawTimeline({ operations }, found).split("\n").slice(1);
        const ended = operations.filter((one) => one.endedAt !== null);
        expect(lines).toHaveLength(operations.length + ended.length);
        const width = String(lines.length).length;
        expect(lines.map((line) => Number(line.slice(0, width)))).toEqual(
          lines.map((_, index) => index + 1),
        );
        const stars = lines.filter((line) => /^ *\d+ +\*/.test(line));
        expect(stars).toHaveLength(star === undefined ? 0 : star.endedAt === null ? 1 : 2);
      }),
    );
  });
});

describe("drawTimeline, of many calls", () => {
  it("puts each line under the client whose call it is", () => {
    fc.assert(
      fc.property(historyArbitrary(12), ({ operations }) => {
        const [header = "", ...lines] = drawTimeline({ operations }, shownBy([])).split("\n");
        const instants = operations
          .flatMap(({ client, begunAt, endedAt }) =>
            [begunAt, ...(endedAt === null ? [] : [endedAt])].map((at) => ({ client, at })),
          )
          .toSorted((a, b) => a.at - b.at);
        const width = String(lines.length).length;
        expect(lines.map((line) => line.slice(width).search(/\S/) + width - 1)).toEqual(
          instants.map(({ client }) => `${header}  `.indexOf(`  client ${client} `) + 2),
        );
      }),
    );
  });

  it("draws of a long history what is nearest to the violation, and of other runs nothing", () => {
    const many = Array.from({ length: 100 }, (_, at): Operation => ({
      ...read,
      begunAt: at * 2,
      endedAt: at * 2 + 1,
      since: at,
      ids: ["e"],
    }));
    const other: Operation = { ...append, runId: "other", begunAt: 100.5, endedAt: 100.6 };
    const text = drawTimeline({ operations: [...many, other] }, shownBy(many.slice(50, 51)));
    const shown = [...text.matchAll(/read after (\d+)/g)].map(([, since]) => Number(since));
    expect(shown).toEqual(
      Array.from({ length: shown.length }, (_, index) => (shown[0] ?? 0) + index),
    );
    expect(shown).toContain(50);
    expect(shown.length).toBeLessThan(30);
    expect(text).not.toContain("append");
  });
});
