import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTerminal } from "../src/rules/lifecycle.ts";
import { isListed, listedStatuses, STATUSES } from "../src/rules/listed.ts";
import { runRecord } from "./run-record.ts";

const status = fc.constantFrom(...STATUSES);
const topic = fc.option(fc.constantFrom("tea", "Tea", "tea ", ""));

describe("listedStatuses", () => {
  it("W14: no status asks for all, and a status for itself", () => {
    expect(listedStatuses(null)).toStrictEqual([
      "queued",
      "running",
      "waiting",
      "completed",
      "failed",
      "cancelled",
    ]);
    for (const one of STATUSES) expect(listedStatuses(one)).toStrictEqual([one]);
  });

  it("W34: live asks for exactly the statuses that are not terminal", () => {
    const live = listedStatuses("live");
    for (const one of STATUSES) expect(live.includes(one)).toBe(!isTerminal(one));
  });
});

describe("isListed", () => {
  it("W14, W34: a list has a run whose status is among those asked for, and whose topic is the one asked for", () => {
    const asked = fc.option(fc.constantFrom("live" as const, ...STATUSES));
    fc.assert(
      fc.property(status, topic, asked, topic, (runStatus, own, which, about) => {
        const run = runRecord({ runStatus, topic: own });
        const byStatus = which === null || listedStatuses(which).includes(runStatus);
        const byTopic = about === null || about === own;
        expect(isListed(run, { runStatus: which, topic: about })).toBe(byStatus && byTopic);
      }),
    );
  });

  it("W34: without a topic in the query, a list has runs of every topic", () => {
    for (const own of [null, "tea"])
      expect(isListed(runRecord({ topic: own }), { runStatus: null })).toBe(true);
  });
});
