import { readFileSync } from "node:fs";
import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ERROR_CODES, PROBLEM_CODES, statusOf } from "../../src/exchange/error-codes.ts";
import { methodNotAllowed, problemOf } from "../../src/index.ts";

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: RunEventsErrorCode;
  readonly detail: string;
}

const SECRET = "postgres://user:hunter2@db/prod";

const code = fc.constantFrom(...PROBLEM_CODES);
/** What an error may carry: also what a client has read from another server's problem. */
const details = fc.dictionary(
  fc.oneof(
    fc.constantFrom("type", "title", "status", "code", "detail", "lastSequence", "index"),
    fc.string({ maxLength: 4 }),
  ),
  fc.jsonValue({ maxDepth: 1 }),
);

/** The problems of the recorded answers, with their statuses. */
function recordedProblems(): readonly (readonly [status: number, problem: Problem])[] {
  const lines = readFileSync(new URL("../corpus/recorded.ndjson", import.meta.url), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as readonly [string, string | number, string | number]);
  // A head or a body that has been in a line before is the number of that line, from 1.
  const partOf = (line: number, at: 1 | 2): string => {
    const part = lines[line]?.[at] ?? "";
    return typeof part === "number" ? partOf(part - 1, at) : part;
  };
  return lines.flatMap((line, index) => {
    const head = Array.isArray(line) ? partOf(index, 1) : "";
    const body = Array.isArray(line) ? partOf(index, 2) : "";
    if (!head.includes("application/problem+json") || body === "") return [];
    return [[Number(/\d{3}/.exec(head)?.[0]), JSON.parse(body) as Problem] as const];
  });
}

it("W3: a problem has the address, the title and the status of its code, with any message and any details", () => {
  fc.assert(
    fc.property(code, fc.string(), details, (name, message, members) => {
      const { status, body } = problemOf(new RunEventsError(name, message, { details: members }));
      const { title } = ERROR_CODES[name];
      expect(status).toBe(statusOf(name));
      expect(JSON.parse(body)).toMatchObject({
        type: `/v1/errors/${name}`,
        title,
        status,
        code: name,
        detail: message,
      });
    }),
  );
});

it("W3: an error with a code that this version does not know is `internal`, and shows nothing", () => {
  const unknown = fc
    .oneof(fc.string(), fc.constantFrom("draining", "constructor", "__proto__", "toString"))
    .filter((text) => !(PROBLEM_CODES as readonly string[]).includes(text));
  fc.assert(
    fc.property(unknown, (name) => {
      const error = new RunEventsError(name as RunEventsErrorCode, "a secret");
      const { status, body } = problemOf(error);
      expect([status, body.includes("a secret")]).toEqual([500, false]);
      expect(JSON.parse(body)).toMatchObject({ type: "/v1/errors/internal", code: "internal" });
    }),
  );
});

it("W3: the problem of an unknown error shows nothing of it", () => {
  for (const thrown of [
    new Error(SECRET),
    new TypeError(SECRET),
    SECRET,
    null,
    undefined,
    { code: SECRET },
  ]) {
    const { status, body } = problemOf(thrown);
    expect([status, body.includes("hunter2")]).toEqual([500, false]);
    expect(JSON.parse(body)).toMatchObject({ code: "internal" });
  }
});

it("W3: a method that a path does not have has the address of `invalid_request`", () => {
  const { status, body } = methodNotAllowed(["GET"], "PUT");
  const problem = JSON.parse(String(body)) as Problem;
  expect([status, problem.status, problem.type]).toEqual([405, 405, "/v1/errors/invalid_request"]);
});

it("W3: every recorded problem has the address and the title of its code, and one of its statuses", () => {
  const problems = recordedProblems();
  expect(problems.length).toBeGreaterThan(500);
  for (const [status, problem] of problems) {
    const { title, statuses } = ERROR_CODES[problem.code];
    expect(problem).toMatchObject({ type: `/v1/errors/${problem.code}`, title, status });
    expect([problem.code, statuses]).toEqual([problem.code, expect.arrayContaining([status])]);
  }
  const seen = new Set(problems.map(([, problem]) => problem.code));
  expect(PROBLEM_CODES.filter((name) => !seen.has(name))).toEqual([]);
});

it.each([
  [Number.NaN, undefined],
  [-1, undefined],
  ["soon" as unknown as number, undefined],
  [1e30, "86400"],
  [Infinity, "86400"],
  [1_001, "2"],
])("W3: an error with retryAfterMs %s has Retry-After %s", (retryAfterMs, seconds) => {
  const error = new RunEventsError("internal", "text", { details: { retryAfterMs } });
  expect(problemOf(error).headers["retry-after"]).toBe(seconds);
});

it("W3: a detail that is a bigint goes out as text", () => {
  const details = { lastSequence: 7n as unknown as number };
  const { body } = problemOf(new RunEventsError("cursor_ahead", "text", { details }));
  expect(JSON.parse(body)).toMatchObject({ code: "cursor_ahead", lastSequence: "7" });
});
