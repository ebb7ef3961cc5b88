import fc from "fast-check";

/** Texts that are easily damaged: escapes, lone surrogates, spelling, characters beyond the basic plane, separators of SSE and JS. */
const PIECES = [
  "a",
  "\\u0000",
  "\\u0001",
  "\\ud83d",
  "\\ude00",
  "\\uD83D\\uDE00",
  "\\u0041",
  "\\u00E9",
  "\\/",
  "/",
  "\\n",
  '\\"',
  "\\\\",
  "'",
  "\u007f",
  "\u0085",
  "\u00e9",
  "e\u0301",
  "\u2028",
  "\u2029",
  "\\u2028",
  "\\b",
  "\u{1f600}",
  "\u{10ffff}",
  "\ufeff",
  "\uffff",
  "%s",
  "$1",
  " ",
] as const;

const NUMBERS = [
  "0",
  "-0",
  "-0.0",
  "-0e-0",
  "1.0",
  "1e2",
  "1E+2",
  "1e-7",
  "1e400",
  "-1E400",
  "1e-400",
  "100000000000000000000",
  "9007199254740993",
  "9223372036854775808",
  "18446744073709551616",
  "0.1000000000000000055511151231257827",
] as const;

const KEYS = [
  "b",
  "a",
  "10",
  "2",
  "",
  "__proto__",
  "constructor",
  "\\u0061",
  "\\u0000",
  "\\udc00",
  "é",
] as const;

const { text } = fc.letrec<{ text: string; leaf: string; list: string; object: string }>((tie) => ({
  text: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    tie("list"),
    tie("object"),
  ),
  leaf: fc.oneof(
    fc.constantFrom("null", "true", "false", ...NUMBERS),
    fc.integer().map(String),
    fc.array(fc.constantFrom(...PIECES)).map((pieces) => `"${pieces.join("")}"`),
  ),
  list: fc.array(tie("text"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
  // The same key may come twice: JSON text allows it, and a value would lose one.
  object: fc
    .array(fc.tuple(fc.constantFrom(...KEYS), tie("text")), { maxLength: 4 })
    .map((members) => `{${members.map(([key, value]) => `"${key}":${value}`).join(",")}}`),
}));

/** Any JSON text, rich in what a store is tempted to tidy up. Well-formed Unicode without U+0000. */
export const jsonText: fc.Arbitrary<string> = text;
