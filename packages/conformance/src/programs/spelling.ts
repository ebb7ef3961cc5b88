import fc from "fast-check";

/** The spelling of the names in a program's steps; a name that is missing is written as it is. */
type Spelling = Readonly<Record<string, string>>;

/** The names that steps have. */
const NAMES = {
  runIds: ["a", "b", "c"],
  owners: ["ada", "bob"],
  topics: ["tea", "Tea"],
  keys: ["k", "l"],
  claimKeys: ["c", "d"],
  workers: ["w-1", "w-2"],
};

type Texts = Readonly<Record<keyof typeof NAMES, readonly string[]>>;

/** A spelling from the texts of each kind of names, in their order. */
function spellingOf(texts: Texts): Spelling {
  const pairs = Object.entries(NAMES).flatMap(([kind, names]) =>
    names.map((name, index) => [name, texts[kind as keyof Texts][index] ?? name]),
  );
  return Object.fromEntries(pairs) as Spelling;
}

/** Texts as long as they may be, which differ in their last character. */
function likeTexts(length: number): readonly string[] {
  return ["a", "b", "c"].map((last) => "x".repeat(length - 1) + last);
}

/** Spellings in which a store may take two names for the same one. */
const SPELLINGS: Readonly<Record<string, Spelling>> = {
  plain: {},
  "by case": spellingOf({
    runIds: ["run", "Run", "RUN"],
    owners: ["ada", "Ada"],
    topics: ["tea", "TEA"],
    keys: ["k", "K"],
    claimKeys: ["c", "C"],
    workers: ["w", "W"],
  }),
  "by spaces": spellingOf({
    runIds: ["run", "run_", "run-"],
    owners: ["ada", "ada "],
    topics: ["tea", "tea "],
    keys: ["k", " k"],
    claimKeys: ["c ", "c"],
    workers: ["w", " w"],
  }),
  "by beginnings": spellingOf({
    // A run's id with a hyphen and a key is also another run's id with another key.
    runIds: ["r", "r-r", "r-r-r"],
    keys: ["r-k", "k"],
    owners: ["a", "ab"],
    topics: ["t", "tt"],
    claimKeys: ["c", "cc"],
    workers: ["w", "ww"],
  }),
  "by normal form": spellingOf({
    runIds: ["0", "00", "__proto__"],
    owners: ["\u00e9", "e\u0301"],
    topics: ["\u00e9", "e\u0301"],
    keys: ["k%", "k_"],
    claimKeys: ["1", "01"],
    workers: ["\u00e9", "e\u0301"],
  }),
  "by their last character": spellingOf({
    // A run id has 128 characters, and the program's prefix is before it.
    runIds: likeTexts(110),
    owners: likeTexts(240),
    topics: likeTexts(200),
    keys: likeTexts(128),
    claimKeys: likeTexts(128),
    workers: likeTexts(200),
  }),
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
