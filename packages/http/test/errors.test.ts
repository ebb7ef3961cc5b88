import { readFileSync } from "node:fs";
import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERROR_CODES, PROBLEM_CODES, statusOf } from "../src/exchange/error-codes.ts";
import { methodNotAllowed, problemOf } from "../src/exchange/problem.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const WIRE = readFileSync(new URL("../WIRE.md", import.meta.url), "utf8");
const DOCS = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: RunEventsErrorCode;
  readonly detail: string;
}

const SECRET = "postgres://user:hunter2@db/prod";

const code = fc.constantFrom(...PROBLEM_CODES);
/** The details that an error may carry, also those that a client has read from another server's problem. */
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

/** The rows of the table of W3: a code, its status, and the members of its problems. */
function rowsOfWire(): readonly string[] {
  const table = WIRE.slice(WIRE.indexOf(`<a id="w3">`), WIRE.indexOf(`<a id="w4">`));
  return [...table.matchAll(/^ *\| (\d{3}) +\|([^|]*)\|/gm)].flatMap(([, status = "", cell = ""]) =>
    // After a semicolon come headers.
    [...(cell.split(";")[0] ?? "").matchAll(/`(\w+)`(?: \(\+ ([^)]*)\))?/g)].map(
      ([, name = "", members = ""]) =>
        [name, status, ...Array.from(members.matchAll(/\w+/g), String)].join(" "),
    ),
  );
}

it("W3: the table of the wire and the page of codes have each code, with its status and members", () => {
  const documented = [
    ...DOCS.matchAll(/^### (\w+)\n\n\*\*(.*?)\.\*\* Status (\d+)[\d, ]*(?:with ([^.]*))?\./gm),
  ].map(([, name = "", title, status, members = ""]) => {
    expect([name, title]).toEqual([name, ERROR_CODES[name as RunEventsErrorCode].title]);
    return [name, status, ...Array.from(members.matchAll(/`(\w+)`/g), ([, one]) => one)].join(" ");
  });
  const wire = rowsOfWire().map((row) => row.replaceAll(" and ", " "));
  expect(documented.toSorted()).toEqual(wire.toSorted());
  const known = PROBLEM_CODES.map((name) => `${name} ${statusOf(name)}`);
  expect(wire.map((row) => row.split(" ", 2).join(" ")).toSorted()).toEqual(known.toSorted());
});

describe.each(DOORS)("%s", (door) => {
  it("W3: the `type` of every problem leads to its title, for anyone, and any cache may keep it", async () => {
    await using world = await openWorld(door);
    world.store.cut(new Error("gone"));
    await world.drain(0);
    for (const name of PROBLEM_CODES) {
      const { type, title } = JSON.parse(problemOf(new RunEventsError(name, "")).body) as Problem;
      const answer = await world.send({ path: type });
      expect([answer.status, answer.text.split("\n", 1)]).toEqual([200, [title]]);
      expect(answer.headers).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "public, max-age=3600",
      });
    }
    for (const name of ["draining", "constructor", "__proto__", "FENCED", "fenced%20", "%F0%9F"]) {
      const { status, headers } = await world.send({ path: `/v1/errors/${name}` });
      expect([name, status]).toEqual([name, name === "%F0%9F" ? 400 : 404]);
      expect(headers["cache-control"]).toBe("private, no-store");
    }
  });
});
