import { encodeRows, readBlock } from "../docs-page.ts";

/** One mutant, and the case that is named for finding it. */
export interface Kill {
  /** The title of its suite. */
  readonly suite: string;
  /** What it does wrong. */
  readonly name: string;
  readonly clause: string;
  /** The name of the case, which begins with the clause. */
  readonly killer: string;
}

const HEAD = ["one that", "is found by"];

/** The kills as Markdown: a table a suite, ordered by clause. */
export function encodeKills(kills: readonly Kill[]): string {
  const suites = Map.groupBy(kills, ({ suite }) => suite);
  const tables = [...suites].map(([suite, ofSuite]) => {
    const rows = ofSuite.toSorted(byClause).map(({ name, killer }) => [name, escapeName(killer)]);
    const title = `${suite}: ${rows.length}`;
    return `<details>\n<summary>${title}</summary>\n\n${encodeRows([HEAD, ...rows])}\n\n</details>\n`;
  });
  return `\n${tables.join("\n")}\n`;
}

/** What the page says between its markers, in its order. */
export function parseKills(markdown: string): readonly Kill[] {
  const kills: Kill[] = [];
  let suite = "";
  for (const line of markdown.split("\n")) {
    suite = /^<summary>(.*): \d+<\/summary>$/.exec(line)?.[1] ?? suite;
    const [, name = "", killer = ""] = /^\| (.*?) +\| ([SW]\d+ .*?) +\|$/.exec(line) ?? [];
    const clause = killer.split(" ", 1).join("");
    if (killer !== "") kills.push({ suite, name, clause, killer: parseName(killer) });
  }
  return kills;
}

/** The case that the page names for a mutant; a hint where it names none. */
export function killerOf(suite: string, name: string): string {
  const kill = parseKills(readBlock("kills")).find(
    (one) => one.suite === suite && one.name === name,
  );
  return kill?.killer ?? "a case named in packages/conformance/docs/kills.md: run `pnpm kills`";
}

/** A case may speak of `__proto__`, which Markdown takes for an emphasis. */
function escapeName(text: string): string {
  return text.replaceAll("__", String.raw`\_\_`);
}

function parseName(markdown: string): string {
  return markdown.replaceAll(String.raw`\_`, "_");
}

function byClause(one: Kill, other: Kill): number {
  return (
    one.clause.localeCompare(other.clause, "en", { numeric: true }) ||
    one.name.localeCompare(other.name, "en")
  );
}
