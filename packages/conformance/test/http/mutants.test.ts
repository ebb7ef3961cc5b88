import { runHttpConformance } from "@tm/run-events-conformance/http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { firstFailure, WAITS } from "./first-failure.ts";
import { memoryServerDoors, type ServerBreakage } from "./memory-server.ts";
import { answerMutants } from "./mutants/answer-mutants.ts";
import { deadlineMutants } from "./mutants/deadline-mutants.ts";
import { hostMutants } from "./mutants/host-mutants.ts";
import { pageMutants } from "./mutants/page-mutants.ts";
import { requestMutants } from "./mutants/request-mutants.ts";
import { streamMutants } from "./mutants/stream-mutants.ts";

function failureOf(breakage: ServerBreakage, clause?: string): Promise<string | null> {
  const cases = runHttpConformance({ name: "mutant", ...memoryServerDoors(breakage) });
  return firstFailure(cases, clause);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: [...WAITS.toFake] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the HTTP kit", () => {
  it("finds nothing in the server that the mutants break", async () => {
    expect(await failureOf({})).toBeNull();
  });

  for (const { name, clause, ...breakage } of [
    ...requestMutants,
    ...answerMutants,
    ...pageMutants,
    ...streamMutants,
    ...hostMutants,
    ...deadlineMutants,
  ]) {
    it(`${clause} finds a server that ${name}`, async () => {
      expect(await failureOf(breakage, clause)).toMatch(new RegExp(`^mutant: ${clause} `));
    });
  }
});
