import { followRun, startRun } from "@tm/run-events-client";
import { workRun } from "@tm/run-events-client/work";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect } from "../collect.ts";
import { failureOf } from "../failure-of.ts";
import { startScriptedServer } from "../scripted-server.ts";

const CREDENTIAL = { bearer: "b" } as const;

/** All functions that call a server, each up to its first answer. */
const CALLS = {
  followRun: async (options: object) =>
    collect(followRun({ runId: "a", credential: CREDENTIAL, ...options })),
  startRun: async (options: object) => startRun({ credential: CREDENTIAL, ...options }),
  workRun: async (options: object) =>
    workRun({ runId: "a", leaseMs: 1_000, credential: CREDENTIAL, ...options }, () => {}),
} as const;

describe.each(Object.entries(CALLS))("%s", (_, call) => {
  it.each([
    ["localhost:18471", "localhost:"],
    ["ftp://example.com", "ftp:"],
    ["file:///tmp", "file:"],
    ["api.example.com", "no address"],
    ["http://", "no address"],
    ["/api", "no address"],
    ["http://user:secret@example.com", "user name"],
    ["http://:secret@example.com", "user name"],
  ])("an address that cannot be asked is a TypeError at once: %s", async (baseUrl, got) => {
    const error = (await failureOf(call({ baseUrl }))) as Error;
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain("https://api.example.com");
    expect(error.message).toContain(got);
    expect(error.message).not.toContain("secret");
  });

  it("a credential that cannot be sent throws a TypeError that does not show it, and no request is sent", async () => {
    const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
    const bad = [
      null,
      "a-token",
      {},
      { bearer: undefined },
      { bearer: "" },
      { token: "a-token" },
      { cookie: 7 },
    ];
    for (const credential of bad) {
      const error = (await failureOf(call({ baseUrl, credential }))) as Error;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain("Is the token missing?");
      expect(error.message).not.toContain("a-token");
    }
    expect(requests).toEqual([]);
  });
});

it("a runId of a new run that is not a string is a TypeError that names it, and no request is sent", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
  for (const runId of [null, 7]) {
    const error = await failureOf(CALLS.startRun({ baseUrl, runId }));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain("Expected runId to be a string");
  }
  expect(requests).toEqual([]);
});

it("W15: a cursor that is not a non-negative safe integer is `invalid_cursor`, and no request is sent", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) => response.destroy());
  const bad: fc.Arbitrary<unknown> = fc.oneof(
    fc.constantFrom("5", "", null, true, Number.NaN, Infinity, -0.5, 2 ** 53, 5n, [], {}),
    fc.string(),
    fc.integer({ max: -1 }),
    fc.double().filter((value) => !Number.isSafeInteger(value)),
  );
  await fc.assert(
    fc.asyncProperty(bad, async (since) => {
      const options = { baseUrl, runId: "a", credential: CREDENTIAL, since: since as number };
      const follower = followRun(options);
      expect(await failureOf(collect(follower))).toMatchObject({
        code: "invalid_cursor",
        retryable: false,
      });
      expect(follower).toMatchObject({ state: "failed", error: { code: "invalid_cursor" } });
    }),
  );
  expect(requests).toEqual([]);
});
