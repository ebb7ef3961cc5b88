import fc from "fast-check";

/** One JSON value as text, and the same tokens as a run's log keeps them. */
export interface JsonSample {
  /** With white space between its tokens, and raw lone surrogates. */
  readonly raw: string;
  /** The tokens alone, in well-formed Unicode. */
  readonly kept: string;
}

/** One member of an object's text. */
export interface MemberSample {
  readonly key: JsonSample;
  readonly value: JsonSample;
}

/** A value with its parts separate. */
export interface SplitSample<Part> extends JsonSample {
  readonly parts: readonly Part[];
}

const same = (text: string): JsonSample => ({ raw: text, kept: text });

/** White space as JSON has it; mostly none, since most JSON has none. */
const space: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom(" ", "\n", "\r", "\t"), maxLength: 4 }),
  },
);

const ESCAPES = String.raw`\" \\ \/ \b \f \n \r \t \u0000 \u001F \u0085 \u2028 \ud800 \uDFFF \uD83D\uDE00 \u0022 \u005c`;
// Text that a string holds as it is: white space of every kind, JSON's own signs, separators, a pair.
const PLAIN = [
  "  ",
  "data:",
  "__proto__",
  ...Array.from(" \u00a0\u0085\u2028\u2029\ufeff\u007f{}[],:'é😀"),
];
// A lone surrogate is one because of its neighbour: a full stop, or the escape of its other half.
const LONE: readonly JsonSample[] = [
  { raw: "\ud800.", kept: "\\ud800." },
  { raw: "\udfff.", kept: "\\udfff." },
  { raw: "\ud83d\\ude00", kept: "\\ud83d\\ude00" },
  { raw: "\\ud83d\ude00.", kept: "\\ud83d\\ude00." },
];

const stringUnit: fc.Arbitrary<JsonSample> = fc.oneof(
  fc.constantFrom(...ESCAPES.split(" "), ...PLAIN).map(same),
  fc.constantFrom(...LONE),
  fc.stringMatching(/^[a-zA-Z0-9]{1,5}$/).map(same),
);

function join(parts: readonly JsonSample[], between = ""): JsonSample {
  return {
    raw: parts.map((part) => part.raw).join(between),
    kept: parts.map((part) => part.kept).join(between),
  };
}

/** A string token. */
const stringToken: fc.Arbitrary<JsonSample> = fc
  .array(stringUnit, { maxLength: 6 })
  .map((units) => join([same('"'), ...units, same('"')]));

const NUMBERS =
  "0 -0 1 -12 1e2 1E+2 1.0 1.10 -1.5e-300 1e999 12345678901234567890 0.1234567890123456789";
const scalar: fc.Arbitrary<JsonSample> = fc.oneof(
  fc.constantFrom("null", "true", "false", ...NUMBERS.split(" ")).map(same),
  stringToken,
);

function spaced(sample: fc.Arbitrary<JsonSample>): fc.Arbitrary<JsonSample> {
  return fc
    .tuple(space, sample, space)
    .map(([before, { raw, kept }, after]) => ({ raw: before + raw + after, kept }));
}

function arrayOf(value: fc.Arbitrary<JsonSample>): fc.Arbitrary<SplitSample<JsonSample>> {
  return fc.tuple(fc.array(spaced(value), { maxLength: 5 }), space).map(([parts, empty]) => {
    const { raw, kept } = join(parts, ",");
    return { parts, raw: `[${raw}${empty}]`, kept: `[${kept}]` };
  });
}

const key: fc.Arbitrary<JsonSample> = fc.oneof(
  stringToken,
  fc.constantFrom('"a"', '"__proto__"', '"phase"', '""').map(same),
);

function objectOf(value: fc.Arbitrary<JsonSample>): fc.Arbitrary<SplitSample<MemberSample>> {
  const member = fc.record({ key: spaced(key), value: spaced(value) });
  return fc.tuple(fc.array(member, { maxLength: 5 }), space).map(([parts, empty]) => {
    const { raw, kept } = join(
      parts.map((part) => join([part.key, part.value], ":")),
      ",",
    );
    return { parts, raw: `{${raw}${empty}}`, kept: `{${kept}}` };
  });
}

const { value } = fc.letrec<{ value: JsonSample }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    arrayOf(tie("value")),
    objectOf(tie("value")),
  ),
}));

/** Any JSON value, with white space around it. */
export const jsonSample: fc.Arbitrary<JsonSample> = spaced(value);

/** An array with its items separate. */
export const arraySample: fc.Arbitrary<SplitSample<JsonSample>> = arrayOf(value);

/** An object with its members separate; keys may repeat. */
export const objectSample: fc.Arbitrary<SplitSample<MemberSample>> = objectOf(value);
