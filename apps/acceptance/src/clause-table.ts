import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Each clause of the wire and of the store's contract. */
export const CLAUSES: readonly string[] = [
  ...Array.from({ length: 34 }, (_, index) => `W${index + 1}`),
  "W35",
  "W36",
  "W37",
  "W38",
  "W39",
  "W40",
  "W41",
  "W42",
  "W43",
  "W44",
  "W45",
  "W46",
  "W47",
  "W48",
  "W49",
  "W50",
  "S1",
  "S2",
  "S4",
  "S5",
  "S6",
  "S7",
  "S8",
  "S9",
  "S10",
  "S11",
  "S12",
  "S13",
  "S16",
  "S17",
  "S18",
  "S19",
  "S20",
  "S21",
  "S23",
  "S24",
  "S31",
];

/** The pages of the clauses, by the letter that their codes begin with, and the packages that publish them. */
export const CLAUSE_PAGES = {
  W: { path: "packages/http/WIRE.md", name: "WIRE.md", package: "@tm/run-events-http" },
  S: { path: "packages/core/STORE.md", name: "STORE.md", package: "@tm/run-events-core" },
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

/** Each clause with the files whose tests name it, and how many of their tests do. */
export function coverage(root: string): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const table = new Map(CLAUSES.map((clause) => [clause, new Map<string, number>()]));
  const files = PLACES.flatMap((place) =>
    globSync(join(root, place), { exclude: ["**/node_modules/**"] }),
  );
  for (const file of files.toSorted()) {
    for (const [, names = ""] of readFileSync(file, "utf8").matchAll(NAME)) {
      for (const clause of clausesOf(names)) {
        const row = table.get(clause);
        const path = relative(root, file);
        row?.set(path, (row.get(path) ?? 0) + 1);
      }
    }
  }
  return table;
}

/** The table as Markdown. */
export function encodeTable(table: ReturnType<typeof coverage>): string {
  const rows = [...table].map(([clause, files]) => {
    const cell = [...files]
      .map(([path, count]) => `[${path}](../../${path}) ${count}`)
      .join("<br>");
    const page = CLAUSE_PAGES[clause.startsWith("W") ? "W" : "S"].path;
    return `| [${clause}](../../${page}#${clause.toLowerCase()}) | ${cell} |`;
  });
  return `# Which test covers which clause

The clauses are in [the wire](../../packages/http/WIRE.md) (W) and [the store](../../packages/core/STORE.md) (S). Next to each file
is the number of its tests with the clause in their name. \`pnpm clauses\` writes this page; a test compares it with the code.

| clause | tests |
|---|---|
${rows.join("\n")}
`;
}
