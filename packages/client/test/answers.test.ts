import { describe, expect, it } from "vitest";
import { readJson } from "../src/http/run-calls.ts";
import { errorOf } from "../src/http/server-errors.ts";

const PATH = "/v1/agent-runs/a";
const PROBLEM = "application/problem+json; charset=utf-8";

function errorFor(status: number, type: string, text: string): unknown {
  const headers: Record<string, string> = type === "" ? {} : { "content-type": type };
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // A page, or a text that was cut off.
  }
  return errorOf({ path: PATH }, new Response(null, { status, headers }), json);
}

describe("W3: an answer that is no success", () => {
  it.each([
    [401, "unauthenticated", false],
    [404, "not_found", false],
    [409, "fenced", false],
    [409, "a_code_of_later", false],
    [429, "too_many_requests", true],
    [500, "internal", true],
    [503, "store_unavailable", true],
  ])("with %i and the server's own problem is what that says: %s", (status, code, retryable) => {
    const text = JSON.stringify({ status, code, detail: "Why.", lastSequence: 7 });
    expect(errorFor(status, PROBLEM, text)).toMatchObject({
      code,
      message: "Why.",
      retryable,
      details: { lastSequence: 7 },
    });
  });

  it.each([
    ...[400, 401, 403, 404, 405, 408, 409, 410, 500, 502, 504].map(
      (status) => [status, "text/html", "<p>Back soon.</p>"] as const,
    ),
    [404, "application/json", '{"code":"not_found","detail":"No route."}'],
    [404, PROBLEM, '{"title":"Not Found","detail":"No route."}'],
    [404, PROBLEM, '{"code":5,"detail":"No route."}'],
    [404, PROBLEM, '{"code":"not_fou'],
    [404, PROBLEM, "null"],
    [401, "", ""],
  ] as const)("with %i as %s, %j, says nothing about the run", (status, type, text) => {
    expect(errorFor(status, type, text)).toMatchObject({
      code: "store_unavailable",
      retryable: true,
      message: expect.stringContaining(`GET ${PATH} answered ${status} `) as string,
    });
  });

  it("of a proxy that takes no such body, or not so many requests, is what a server's own would be", () => {
    expect(errorFor(413, "text/html", "")).toMatchObject({
      code: "payload_too_large",
      retryable: false,
    });
    expect(errorFor(429, "text/html", "")).toMatchObject({
      code: "too_many_requests",
      retryable: true,
    });
  });
});

it.each(["<p>Back soon.</p>", "{}", "[]", "null", "7", '{"lastSequence":1', ""])(
  "a success with %j is no answer of a server's",
  (text) => {
    let json: unknown;
    try {
      json = readJson(text);
    } catch {
      json = undefined;
    }
    expect(json ?? undefined).toBeUndefined();
  },
);

it("a success has a member of a run, a lease, a list or a session", () => {
  for (const member of ["lastSequence", "fence", "runs", "userId"]) {
    expect(readJson(`{"${member}":0}`)).toEqual({ [member]: 0 });
  }
});
