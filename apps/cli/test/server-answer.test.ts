import { describe, expect, it } from "vitest";
import { errorOf, parseAnswer } from "../src/server-answer.ts";

const SERVER = "127.0.0.1:8080";
const PROBLEM = "application/problem+json; charset=utf-8";

const errorFor = (status: number, type: string, text: string): unknown =>
  errorOf({ status, headers: new Headers({ "content-type": type }), text }, SERVER);

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
      message: `${SERVER} answers ${status}, and not as a run-events server does`,
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
    expect(() => parseAnswer(text, "lastSequence", SERVER)).toThrow(
      expect.objectContaining({ code: "store_unavailable", retryable: true }) as Error,
    );
  },
);

it("a success has what it is asked for", () => {
  expect(parseAnswer('{"lastSequence":1}', "lastSequence", SERVER)).toEqual({ lastSequence: 1 });
});
