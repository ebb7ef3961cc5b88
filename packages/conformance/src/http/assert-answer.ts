import { assert, assertEqual, show } from "../assert.ts";
import type { Answer } from "./call.ts";

/** The characters of a URI reference. @see RFC 3986, section 2 */
const URI_TEXT = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[\da-f]{2})*$/i;

/** Whether the headers have the one that a status requires. @see clause W3 in `WIRE.md` */
const HEADER_OF: Readonly<Record<number, (headers: Headers) => boolean>> = {
  401: (headers) => headers.has("www-authenticate"),
  429: (headers) => /^\d+$/.test(headers.get("retry-after") ?? ""),
};

/** Fails a case unless the answer has this status. */
export function assertStatus(answer: Answer, status: number): void {
  assertEqual(answer.status, status, `the status of ${answer.to} (its body: ${show(answer.text)})`);
}

/**
 * Fails a case unless the answer is a problem document with this code and these other members.
 * @see clause W3 in `WIRE.md`, RFC 9457
 */
export function assertProblem(
  answer: Answer,
  status: number,
  code: string,
  members: Readonly<Record<string, unknown>> = {},
): void {
  assertStatus(answer, status);
  const owed = HEADER_OF[status];
  assert(owed?.(answer.headers) ?? true, `W3: ${answer.to} has the header of a ${status}`);
  const type = answer.headers.get("content-type") ?? "";
  assert(
    /^application\/problem\+json\s*(;|$)/i.test(type),
    `W3: ${answer.to} is answered with application/problem+json, got ${show(type)}`,
  );
  const problem = answer.json();
  assertEqual(problem["code"], code, `W3: the code of the problem of ${answer.to}`);
  const { type: address = "about:blank" } = problem;
  assert(
    typeof address === "string" && URI_TEXT.test(address),
    `W3: the type of the problem of ${answer.to} is a URI reference, got ${show(address)}`,
  );
  if (problem["status"] !== undefined) {
    assertEqual(problem["status"], status, `W3: the status in the problem of ${answer.to}`);
  }
  for (const [name, value] of Object.entries(members)) {
    assertEqual(problem[name], value, `W3: ${name} in the problem ${code} of ${answer.to}`);
  }
}

/** Fails a case unless these members of the answer's JSON are as they should be; it may have others. */
export function assertMembers(answer: Answer, members: Readonly<Record<string, unknown>>): void {
  const body = answer.json();
  const found = Object.fromEntries(Object.keys(members).map((name) => [name, body[name]]));
  assertEqual(found, members, `the answer to ${answer.to}`);
}

/** Fails a case unless no cache may keep the answer. */
export function assertNoStore(answer: Answer): void {
  const directives = (answer.headers.get("cache-control") ?? "").split(",").map((d) => d.trim());
  assertEqual(directives, ["private", "no-store"], `W18: Cache-Control of ${answer.to}`);
}

/** Fails a case unless the value is a time as the wire has it. @see clause W2 in `WIRE.md` */
export function assertTime(value: unknown): void {
  assert(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(value)),
    `W2: a time is ISO 8601 with milliseconds, got ${String(value)}`,
  );
}
