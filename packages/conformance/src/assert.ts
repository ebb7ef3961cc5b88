import { isSentence } from "./describe-error.ts";
import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";

const SHOWN_CHARACTERS = 1_000;

/**
 * Fails a case unless the condition holds.
 * @throws Error that says what was expected
 */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`Expected that ${what}.`);
}

/** A broken promise that a case has found. Its clause need not be the one that the case is about. */
export class BrokenClause extends Error {
  readonly clause: string;
  /** The message without the clause. */
  readonly why: string;

  constructor(clause: string, why: string, options?: ErrorOptions) {
    super(`${clause} is broken: ${why}`, options);
    this.clause = clause;
    this.why = why;
  }
}

/**
 * Makes a check that belongs to a clause, which may be another one than the case's.
 * @throws BrokenClause with what the check throws
 */
export function inClause<T>(clause: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw brokenIn(clause, error);
  }
}

/** An error of the kit's own, as one that names the clause; any other as it is. */
export function brokenIn(clause: string, error: unknown): unknown {
  if (!isSentence(error) || error instanceof BrokenClause) return error;
  return new BrokenClause(clause, error instanceof Error ? error.message : String(error));
}

/**
 * Fails a case unless a condition holds that this clause promises. It may be another clause than the case's.
 * @throws BrokenClause that says what was expected
 */
export function assertKept(clause: string, condition: boolean, what: string): asserts condition {
  if (!condition) throw new BrokenClause(clause, `Expected that ${what}.`);
}

/**
 * Fails a case unless two plain values are the same all the way down; the order of keys does not matter.
 * @throws Error that shows both; of large ones only the fields that differ
 */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  if (isSame(actual, expected)) return;
  throw new Error(`Expected ${what} to ${describeDifference(actual, expected)}.`);
}

/**
 * Fails a case unless the call is rejected with this code.
 * @returns the error, to look at further
 */
export async function assertRefused(
  call: () => Promise<unknown>,
  code: RunEventsErrorCode,
  what: string,
): Promise<RunEventsError> {
  let answer: unknown;
  try {
    answer = await call();
  } catch (error) {
    assert(
      error instanceof RunEventsError,
      `${what} rejects with a RunEventsError, got ${String(error)}`,
    );
    assertEqual(error.code, code, `the code of ${what}`);
    return error;
  }
  throw new Error(`Expected ${what} to reject with ${code}, got the answer ${show(answer)}.`);
}

/** The most characters of two values that are shown whole. */
const SHOWN_WHOLE = 120;
/** The number of differing fields that are shown. */
const MOST_FIELDS = 5;

function describeDifference(actual: unknown, expected: unknown): string {
  const whole = `be ${show(expected)}, got ${show(actual)}`;
  const isLarge = show(expected).length + show(actual).length > SHOWN_WHOLE;
  const fields = isLarge ? fieldsThatDiffer(actual, expected, "") : [whole];
  const [first] = fields;
  if (first === undefined || first === whole || !isObject(actual) || !isObject(expected))
    return whole;
  const more = fields.length - MOST_FIELDS;
  const shown = fields.slice(0, MOST_FIELDS).join("; ");
  return `have ${shown}${more > 0 ? `; ${more} more ${more === 1 ? "field differs" : "fields differ"}` : ""}`;
}

/** Each field that differs, with both values. */
function fieldsThatDiffer(actual: unknown, expected: unknown, path: string): readonly string[] {
  if (isSame(actual, expected)) return [];
  if (
    !isObject(actual) ||
    !isObject(expected) ||
    Array.isArray(actual) !== Array.isArray(expected)
  ) {
    return [`${path} ${show(expected)}, got ${show(actual)}`];
  }
  const length =
    Array.isArray(actual) && Array.isArray(expected) && actual.length !== expected.length
      ? [`${path === "" ? "" : `${path}.`}length ${expected.length}, got ${actual.length}`]
      : [];
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
  const fields = keys.flatMap((key) => {
    const field = Array.isArray(expected)
      ? `${path}[${key}]`
      : path === ""
        ? key
        : `${path}.${key}`;
    if (!Object.hasOwn(expected, key)) return [`no ${field}, got ${show(actual[key])}`];
    if (!Object.hasOwn(actual, key)) return [`${field} ${show(expected[key])}, got none`];
    return fieldsThatDiffer(actual[key], expected[key], field);
  });
  return [...length, ...fields];
}

/** Whether two plain values are the same all the way down; the order of keys does not matter. */
export function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (!isObject(left) || !isObject(right) || Array.isArray(left) !== Array.isArray(right)) {
    return false;
  }
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame(left[key], right[key]))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

const BEYOND_ASCII = /[^\u0020-\u007e]/g;

/** A text with each character beyond ASCII as JSON may write it. */
export function escaped(text: string): string {
  return text.replaceAll(
    BEYOND_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Stands for `undefined`, which JSON does not have, in a form that no text of the contract has. */
const UNDEFINED = "\0undefined";

/**
 * A value as the message of a failure shows it: JSON with `undefined`, cut when it is long. Characters beyond ASCII are escaped, since two
 * texts that differ may look the same.
 */
export function show(value: unknown): string {
  const json = JSON.stringify(value, (_key, part: unknown) => {
    if (part === undefined) return UNDEFINED;
    return typeof part === "bigint" ? `${part}n (a bigint)` : part;
  });
  const text = escaped((json ?? String(value)).replaceAll(JSON.stringify(UNDEFINED), "undefined"));
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
