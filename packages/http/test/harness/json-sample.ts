import fc from "fast-check";

/** A JSON value's text as it is sent, and the tokens that are to come back. */
export interface JsonSample {
  readonly sent: string;
  readonly kept: string;
}

// Parts that a server is tempted to tidy up: escapes, lone halves of pairs, separators, spellings, the order of keys.
const PIECES = [
  "a",
  "é",
  "\u0085",
  "\u2028",
  "\u2029",
  "\ufeff",
  "\u{1f600}",
  "'/ {}[]:,",
  "\\u0000",
  "\\u001f",
  "\\n",
  '\\"',
  "\\\\",
  "\\/",
  "\\ud83d",
  "\\uDE00",
  "\\uD83D\\uDE00",
  "\\u2028",
] as const;
const NUMBERS = [
  "0",
  "-0",
  "1e2",
  "1E+2",
  "1.0",
  "-1.50e-7",
  "1e400",
  "12345678901234567890",
] as const;

const space = fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "\r"), maxLength: 2 });
const same = (text: string): JsonSample => ({ sent: text, kept: text });
const string = fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((p) => `"${p.join("")}"`);

function listOf(
  items: fc.Arbitrary<JsonSample>,
  [open, close]: readonly [string, string],
): fc.Arbitrary<JsonSample> {
  return fc
    .tuple(fc.array(fc.tuple(space, items, space), { maxLength: 4 }), space)
    .map(([parts, empty]) => ({
      sent: `${open}${empty}${parts.map(([a, { sent }, b]) => a + sent + b).join(",")}${close}`,
      kept: `${open}${parts.map(([, { kept }]) => kept).join(",")}${close}`,
    }));
}

const { value } = fc.letrec<{ value: JsonSample }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof(fc.constantFrom("null", "true", "false", ...NUMBERS), string).map(same),
    listOf(tie("value"), ["[", "]"]),
    listOf(
      fc.tuple(string, space, tie("value")).map(([key, gap, { sent, kept }]) => ({
        sent: `${key}${gap}:${gap}${sent}`,
        kept: `${key}:${kept}`,
      })),
      ["{", "}"],
    ),
  ),
}));

/** Any JSON value. Keys may repeat. */
export const jsonSample: fc.Arbitrary<JsonSample> = value;
