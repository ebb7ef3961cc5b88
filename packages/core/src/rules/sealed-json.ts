import { hasBrand, JSON_TEXT } from "./brand.ts";
import { RunEventsError } from "./errors.ts";
import { lossOf } from "./json-loss.ts";

/**
 * JSON text that cannot change: the part of `JsonText` that does not parse. A page only writes values, and a bundle takes in a class
 * whole.
 */
export class SealedJson {
  readonly text: string;

  /** @param text valid JSON without white space between tokens, and well-formed Unicode */
  protected constructor(text: string) {
    this.text = text;
  }

  /** Also accepts the texts of another copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return hasBrand(value, JSON_TEXT);
  }

  static {
    Object.defineProperty(this.prototype, JSON_TEXT, { value: true });
  }

  /**
   * Writes a value as JSON; `undefined` is `null`, a `JsonText` stays as it is. Inside the value the rules are those of
   * `JSON.stringify`: there a function is left out, `NaN` is `null` and a `Map` is `{}`.
   * @throws RunEventsError `invalid_event` if no JSON text holds the value: `NaN`, a function, a symbol, a BigInt, an `Error`, `Map`,
   * `Set`, `Promise` and their like without `toJSON`, a cycle, a value that is nested too deep to be written.
   */
  static of(value: unknown): SealedJson {
    if (value instanceof SealedJson) return value;
    const loss = lossOf(value);
    if (loss !== null) throw new RunEventsError("invalid_event", loss);
    let text: string | undefined;
    try {
      text = JSON.stringify(value === undefined ? null : value);
    } catch (cause) {
      throw new RunEventsError("invalid_event", unwritable(cause), { cause });
    }
    if (text === undefined) {
      throw new RunEventsError(
        "invalid_event",
        "Expected a JSON value, got one whose toJSON returns no value. Return null.",
      );
    }
    // `JSON.stringify` escapes lone surrogates itself, but passes on what `JSON.rawJSON` holds.
    return new SealedJson(escapeLoneSurrogates(text));
  }
}

/** Writes each lone surrogate as its `\u` escape: the same JSON value, and text that UTF-8 can hold. */
export function escapeLoneSurrogates(text: string): string {
  return text.isWellFormed()
    ? text
    : text.replace(/\p{Surrogate}/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/** The error of a value that `JSON.stringify` could not write. Its message may contain the caller's names, so it is only the cause. */
function unwritable(cause: unknown): string {
  if (cause instanceof RangeError)
    return "Expected a JSON value, got one that is nested too deep. Flatten it.";
  const said = cause instanceof TypeError ? cause.message : "";
  if (said.includes("BigInt"))
    return "Expected a JSON value, got one that contains a BigInt. Pass it as text.";
  return /circular|cyclic/i.test(said)
    ? "Expected a JSON value, got one that contains itself. Pass its id."
    : "Expected a JSON value, got one whose toJSON or getter throws.";
}
