import { followRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { workRun } from "@tm/run-events-client/work";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect } from "./collect.ts";

/** Ids that would make another path, and others that no run can have. */
const STRANGE: readonly string[] = [
  "",
  ".",
  "..",
  "../session",
  "a/b",
  "a/../b",
  "%2e%2e",
  "%2E.",
  "..%2f",
  "..\\..",
  "a?since=9",
  "a#b",
  "a b",
  "a\n",
  "\ud800",
  "a".repeat(129),
  "a".repeat(1_000_000),
];

/**
 * Asks for a run through each function that makes a path.
 * @returns the requested paths, and the error of each function
 */
async function askEverywhere(runId: unknown): Promise<{
  readonly paths: readonly string[];
  readonly errors: readonly unknown[];
}> {
  const paths: string[] = [];
  const baseUrl = "http://127.0.0.1/prefix";
  const fetch: typeof globalThis.fetch = async (url) => {
    paths.push(new Request(url).url);
    return new Response(null, { status: 403 });
  };
  const options = { baseUrl, fetch, patienceMs: 0, runId: runId as string };
  const runs = createClient(options);
  const id = runId as string;
  const leaseMs = 1_000;
  const calls = [
    async () => runs.get(id),
    async () => runs.events(id),
    async () => runs.append(id, []),
    async () => runs.cancel(id),
    async () => runs.delete(id),
    async () => runs.claim(id, { leaseMs }),
    async () => runs.renew(id, 1, { leaseMs }),
    async () => runs.release(id, 1),
    async () => runs.work(id, { leaseMs }, () => {}),
    async () => collect(runs.follow(id)),
    async () => collect(followRun(options)),
    async () => collect(followRun({ ...options, credential: { bearer: "t" } })),
    async () => workRun({ ...options, leaseMs }, () => {}),
  ];
  const errors = await Promise.all(
    calls.map(async (call) =>
      call().then(
        () => null,
        (error: unknown) => error,
      ),
    ),
  );
  return { paths, errors };
}

describe("W8: an id that no run can have", () => {
  it.each(STRANGE.map((id) => [id.slice(0, 140), id] as const))(
    "W8: an invalid id reaches no path through any function: %j",
    async (_, runId) => {
      const { paths, errors } = await askEverywhere(runId);
      expect(paths).toEqual([]);
      for (const error of errors) expect(error).toMatchObject({ code: "not_found" });
    },
  );

  it("W8: any text outside of the grammar is an invalid id", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[.%/\\2eEfF]{0,9}$/)),
        async (runId) => {
          fc.pre(!/^[A-Za-z0-9_-]{1,128}$/.test(runId));
          const { paths, errors } = await askEverywhere(runId);
          expect(paths).toEqual([]);
          for (const error of errors) expect(error).toMatchObject({ code: "not_found" });
        },
      ),
    );
  });

  it.each([undefined, null, 7, {}, ["a"], { toString: () => "a" }, Symbol("a")])(
    "W8: an id that is not a string is a TypeError",
    async (runId) => {
      const { paths, errors } = await askEverywhere(runId);
      expect(paths).toEqual([]);
      for (const error of errors) expect(error).toBeInstanceOf(TypeError);
    },
  );
});
