import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const codesOf = (letter: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);

/** Clauses that the store's contract does not have any more: the others keep their codes. */
const GONE = ["S3", "S14", "S15", "S22", "S25", "S26", "S27", "S28", "S29", "S30"];

/** Each clause of the wire and of the store's contract. */
export const CLAUSES: readonly string[] = [...codesOf("W", 50), ...codesOf("S", 31)].filter(
  (code) => !GONE.includes(code),
);

/** The pages of the clauses, by the letter that their codes begin with. */
export const CLAUSE_PAGES = {
  W: { path: "packages/http/WIRE.md" },
  S: { path: "packages/core/STORE.md" },
} as const;

const PLACES = [
  "packages/*/test/**/*.ts",
  "packages/conformance/src/**/*.ts",
  "apps/*/test/**/*.ts",
];

// A test's name, or a case's: clauses at its beginning, as in "S1, W16: …" or "W20-W22 …".
const NAME = /["'`]((?:[WS]\d+)(?:(?:, |-| and | & )[WS]\d+)*)[: ]/g;

function clausesOf(names: string): readonly string[] {
  return names.split(/, | and | & /).flatMap((part) => {
    const [first = "", last] = part.split("-");
    const from = CLAUSES.indexOf(first);
    return CLAUSES.slice(from, (last === undefined ? from : CLAUSES.indexOf(last)) + 1);
  });
}

/** Each clause with the files whose tests name it. */
export function coverage(root: string): ReadonlyMap<string, ReadonlySet<string>> {
  const table = new Map(CLAUSES.map((clause) => [clause, new Set<string>()]));
  const files = PLACES.flatMap((place) =>
    globSync(join(root, place), { exclude: ["**/node_modules/**"] }),
  );
  for (const file of files.toSorted()) {
    for (const [, names = ""] of readFileSync(file, "utf8").matchAll(NAME))
      for (const clause of clausesOf(names)) table.get(clause)?.add(relative(root, file));
  }
  return table;
}

/** The table as Markdown. */
export function encodeTable(table: ReturnType<typeof coverage>): string {
  const rows = [...table].map(([clause, files]) => {
    const cell = [...files].map((path) => `[${path}](../../${path})`).join("<br>");
    const page = CLAUSE_PAGES[clause.startsWith("W") ? "W" : "S"].path;
    return `| [${clause}](../../${page}#${clause.toLowerCase()}) | ${cell} |`;
  });
  return `# Which test covers which clause

The clauses are in [the wire](../../packages/http/WIRE.md) (W) and [the store](../../packages/core/STORE.md) (S). A file is listed if the name
of one of its tests begins with the clause. \`pnpm fix\` writes this page; a test compares it with the code.

| clause | tests |
|---|---|
${rows.join("\n")}
`;
}
