import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { movePath, parseBasePath, RUNS_PATH } from "../src/wire/base-path.ts";

const segment = fc
  .stringMatching(/^[\w.~-]{1,12}$/)
  .filter((text) => text !== "." && text !== "..");
const basePath = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((all) => `/${all.join("/")}`);
/** The rest of a path, after the path of all runs. */
const rest = fc.oneof(
  fc.constant(""),
  segment.map((id) => `/${id}`),
  segment.map((id) => `/${id}/events?since=0`),
  fc.constant("?limit=1"),
  fc.constant("/stream?runs=v1/agent-runs"),
);

describe("parseBasePath", () => {
  it("W50: a path of segments comes back as it is, and without a slash at its end", () => {
    fc.assert(
      fc.property(basePath, (path) => {
        expect(parseBasePath(path)).toBe(path);
        expect(parseBasePath(`${path}/`)).toBe(path);
        // Neither a URL nor a framework writes it in another form.
        expect(new URL(path, "http://localhost").pathname).toBe(path);
      }),
    );
  });

  it("W50: without one it is /v1/agent-runs", () => {
    expect(parseBasePath(undefined)).toBe("/v1/agent-runs");
  });

  it.each([
    "",
    "/",
    "//",
    "/a//b",
    "//a",
    "/a//",
    "api/runs",
    "/a/../b",
    "/.",
    "/a b",
    "/a%20b",
    "/é",
    "/a?b",
    "/a#b",
    "/{runId}",
    "/a/:id",
    "/a/*",
    "/a\\b",
    "/a\n",
    "https://api.example.com/runs",
    7,
    ["/a"],
  ])("W50: %j is refused, and the message says what is expected and what came", (value) => {
    expect(() => parseBasePath(value)).toThrow(
      /^Expected basePath to be like \/api\/my-runs, got .+\.$/s,
    );
  });
});

describe("movePath", () => {
  it("W50: a path of runs is the base path and what followed, and can be moved back", () => {
    fc.assert(
      fc.property(basePath, rest, (base, after) => {
        expect(movePath(RUNS_PATH + after, base)).toBe(base + after);
        expect(movePath(RUNS_PATH + after, RUNS_PATH)).toBe(RUNS_PATH + after);
      }),
    );
  });

  it("W50: any other path stays as it is", () => {
    fc.assert(
      fc.property(basePath, fc.webPath(), (base, path) => {
        fc.pre(!path.startsWith(RUNS_PATH));
        expect(movePath(path, base)).toBe(path);
      }),
    );
    for (const path of [
      "/v1/session",
      "/v1/agent-runs2",
      "/v1/agent-runs-chat/a",
      "/api/v1/agent-runs",
      "/openapi.json",
    ])
      expect(movePath(path, "/runs")).toBe(path);
  });
});
