import { startPostgres } from "@tm/run-events-test-servers";
import fc from "fast-check";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { type DepartureMark, encodeMark, parseMark } from "../src/departure-mark.ts";

const xid = fc
  .record({
    epoch: fc.bigInt({ min: 0n, max: 2n ** 30n }),
    last: fc.bigInt({ min: 1n, max: 2n ** 31n }),
  })
  .map(({ epoch, last }) => epoch * 2n ** 32n + last);
const snapshot = fc
  .record({ xmin: xid, gaps: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 }) })
  .map(({ xmin, gaps }) => {
    const under: bigint[] = [];
    let last = xmin;
    for (const gap of gaps) {
      under.push(last);
      last += BigInt(gap);
    }
    return `${xmin}:${last}:${under.join(",")}`;
  });
const place = fc
  .record({ at: fc.nat(2 ** 40), database: fc.nat(), file: fc.nat() })
  .map(({ at, database, file }) => `${at.toString(36)}-${database}-${file}`);
const mark: fc.Arbitrary<DepartureMark> = fc.record({
  place,
  snapshot,
  rest: fc.option(
    fc.record({ until: snapshot, xid: xid.map(String), runKey: fc.nat(Number.MAX_SAFE_INTEGER) }),
  ),
});

describe("the text of a mark", () => {
  it("S29: a mark is read as it was written, and has only the characters of marks", () => {
    fc.assert(
      fc.property(mark, (one) => {
        const text = encodeMark(one);
        expect(parseMark(text)).toEqual(one);
        expect(text).toMatch(/^[A-Za-z0-9:,_~-]{1,2000}$/);
      }),
    );
  });

  it("S29: a snapshot with very many transactions is written as one of before the first of them", () => {
    const under = Array.from({ length: 500 }, (_, at) => 1_000_000 + at);
    const many = `1000000:1000500:${under.join(",")}`;
    const text = encodeMark({ place: "a-1-1", snapshot: many, rest: null });
    expect(parseMark(text)?.snapshot).toBe("1000000:1000000:");
  });

  it.each([
    "",
    "1_1",
    "a-1-1_1:2",
    "a-1-1_2:1:",
    "a-1-1_1:5:3,2",
    "a-1-1_1:5:5",
    "a-1-1_0:5:",
    "a-1-1_4294967296:4294967297:",
    "a-1-1_1:5:2,2",
    "a-1-1_1:18446744073709551616:",
    "a-1-1_1:1:_1:1:_18446744073709551616_1",
  ])("S29: %j is no mark, so that no statement fails on it", (text) => {
    expect(parseMark(text)).toBeNull();
  });

  it("S29: Postgres takes every snapshot that is read from a mark", async () => {
    const server = await startPostgres();
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      for (const one of fc.sample(snapshot, 500)) {
        const { rows } = await client.query("SELECT $1::pg_snapshot::text AS read", [one]);
        expect(rows).toEqual([{ read: one }]);
      }
    } finally {
      await client.end();
      await server.close();
    }
  });
});
