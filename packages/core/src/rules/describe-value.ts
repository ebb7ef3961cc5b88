/** The most UTF-16 units of a text that a message shows. */
const SHOWN = 40;

/** Characters that JSON does not escape, but that change what a terminal shows: control and format characters, and line ends. */
const ACTIVE = /[\p{C}\u2028\u2029]/gu;

/** Describes a received value for an error message: a short text in quotes, or an object's kind. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") {
    const shown = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
    return JSON.stringify(shown.toWellFormed()).replace(
      ACTIVE,
      (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
    );
  }
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  if (isPromise(value)) return "a promise";
  const kind = kindOf(value);
  return kind === "Object" ? "an object" : `an object of the kind ${kind}`;
}

/** Whether the value has to be awaited. */
export function isPromise(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function"
  );
}

/** The built-in kind of an object, such as `Map`; `Object` for an instance of another class. */
export function kindOf(value: object): string {
  return value instanceof Error ? "Error" : Object.prototype.toString.call(value).slice(8, -1);
}
