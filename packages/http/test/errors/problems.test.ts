import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ERROR_CODES, PROBLEM_CODES, statusOf } from "../../src/exchange/error-codes.ts";
import { methodNotAllowed, problemOf } from "../../src/exchange/problem.ts";

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

it("W3: an error with retryAfterMs has Retry-After, in whole seconds", () => {
  const error = new RunEventsError("internal", "text", { details: { retryAfterMs: 1_001 } });
  expect(problemOf(error).headers["retry-after"]).toBe("2");
});
