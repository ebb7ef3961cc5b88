import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTerminal } from "../src/rules/lifecycle.ts";
import { isListed, STATUSES } from "../src/rules/listed.ts";
import { runRecord } from "./run-record.ts";

const status = fc.constantFrom(...STATUSES);
const topic = fc.option(fc.constantFrom("tea", "Tea", "tea ", ""));

describe("isListed", () => {
  it("W14, W34: a list has a run whose status is among those asked for, and whose topic is the one asked for", () => {
    const asked = fc.option(fc.constantFrom("live" as const, ...STATUSES));
    fc.assert(
      fc.property(status, topic, asked, topic, (runStatus, own, which, about) => {
        const run = runRecord({ runStatus, topic: own });
        const isLive = which === "live" && !isTerminal(runStatus);
        const byStatus = which === null || which === runStatus || isLive;
        const byTopic = about === null || about === own;
        expect(isListed(run, { runStatus: which, topic: about })).toBe(byStatus && byTopic);
      }),
    );
  });
});
