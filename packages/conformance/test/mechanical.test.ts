import { describe, expect, it } from "vitest";
import { drawSample, type Sample, tryMutants, type Tried } from "./mechanical/matrix.ts";
import { encodeTable, killedShare, RECORDS } from "./mechanical/table.ts";

const SEEDS = [1, 2, 3];
const COUNT = 300;
/** The number of mutants that a test tries, so that each ends long before the run counts as hung. */
const PART = 30;
const DAY_MS = 86_400_000;
const LIMIT_MS = 290_000;

// One seed a night, or `MECHANICAL=all`.
const tonight = Math.floor(Date.now() / DAY_MS) % SEEDS.length;
const seeds = process.env["MECHANICAL"] === "all" ? SEEDS : SEEDS.slice(tonight, tonight + 1);
const samples = seeds.flatMap((seed) =>
  (["store", "server"] as const).map((side) => ({ side, seed })),
);

describe.each(samples)("mutants of the $side that the seed $seed draws", ({ side, seed }) => {
  const tried: Tried[] = [];
  let sample: Sample;

  it("the kit finds nothing without one", { timeout: LIMIT_MS }, async () => {
    sample = await drawSample(side, seed, COUNT);
    expect(sample.sick).toEqual([]);
  });

  for (let from = 0; from < COUNT; from += PART) {
    it(`the kit runs on mutants ${from + 1} to ${from + PART}`, { timeout: LIMIT_MS }, async () => {
      const part = sample.mutants.slice(from, from + PART);
      const halves = [part.slice(0, PART / 2), part.slice(PART / 2)];
      const found = await Promise.all(halves.map((half) => tryMutants(side, seed, half)));
      tried.push(...found.flat());
      expect(found.flat()).toHaveLength(part.length);
    });
  }

  it("the kit kills no smaller share than it did", () => {
    console.info(encodeTable(`${side}, seed ${seed}`, sample, tried, RECORDS[side]));
    expect(killedShare(tried, RECORDS[side])).toBeGreaterThanOrEqual(RECORDS[side].floor);
  });
});
