import { expect } from "vitest";
import { LEASE, type WorkWorld } from "./work-world.ts";

/** Why the workers of these tests shut down. */
export const REASON: Error = new Error("the host goes down");

/** Expects that the run is free for another worker, and was claimed once before. */
export async function expectFree({ calls, others }: WorkWorld): Promise<void> {
  expect(calls.filter((call) => call === "claim")).toHaveLength(1);
  expect(await others.claim("r", LEASE)).toMatchObject({ fence: expect.any(Number) });
}
