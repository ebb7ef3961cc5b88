import fc from "fast-check";

/** The spelling of the names in a program's steps; a name that is missing is written as it is. */
type Spelling = Readonly<Record<string, string>>;

/** The names that steps have, and the greatest length of each kind. A run id also has the program's prefix before it. */
const KINDS = [
  { kind: "runs", names: ["a", "b", "c"], length: 110 },
  { kind: "names", names: ["ada", "bob"], length: 240 },
  { kind: "names", names: ["tea", "Tea"], length: 200 },
  { kind: "names", names: ["w-1", "w-2"], length: 200 },
  { kind: "keys", names: ["k", "l"], length: 128 },
  { kind: "keys", names: ["c", "d"], length: 128 },
] as const;

/** The texts of each kind, for names that may have this many characters. */
type Texts = (
  length: number,
) => Readonly<Record<(typeof KINDS)[number]["kind"], readonly string[]>>;

/** Texts that a store may take for one another: those of runs, of owners, topics and workers, and of keys. */
const ALIKE: Readonly<Record<string, Texts>> = {
  "by case": () => ({ runs: ["run", "Run", "RUN"], names: ["ada", "Ada"], keys: ["k", "K"] }),
  "by spaces": () => ({ runs: ["run", "run_", "run-"], names: ["ada", "ada "], keys: ["k", "k "] }),
  // A run's id with a hyphen and a key is also another run's id with another key.
  "by beginnings": () => ({ runs: ["r", "r-r", "r-r-r"], names: ["a", "ab"], keys: ["r-k", "k"] }),
  "by normal form": () => ({
    runs: ["0", "00", "__proto__"],
    names: ["\u00e9", "e\u0301"],
    keys: ["k%", "k_"],
  }),
  "by their last character"(length) {
    const texts = ["a", "b", "c"].map((last) => "x".repeat(length - 1) + last);
    return { runs: texts, names: texts, keys: texts };
  },
};

function spellingOf(texts: Texts): Spelling {
  const pairs = KINDS.flatMap(({ kind, names, length }) =>
    names.map((name, index) => [name, texts(length)[kind][index] ?? name]),
  );
  return Object.fromEntries(pairs) as Spelling;
}

const SPELLINGS: Readonly<Record<string, Spelling>> = {
  plain: {},
  ...Object.fromEntries(Object.entries(ALIKE).map(([name, texts]) => [name, spellingOf(texts)])),
};

/** The name of a spelling. */
export const spellings: fc.Arbitrary<string> = fc.constantFrom(...Object.keys(SPELLINGS));

/** The fields of a step that have names. */
const FIELDS: ReadonlySet<string> = new Set("runId ownerId topic key claimKey worker".split(" "));

/** A step, or any other value, with its names as a spelling writes them. */
export function spell<Value>(value: Value, spelling: string): Value {
  const written = SPELLINGS[spelling] ?? {};
  const text = JSON.stringify(value, (field, part: unknown) =>
    FIELDS.has(field) && typeof part === "string" ? (written[part] ?? part) : part,
  );
  return JSON.parse(text) as Value;
}
