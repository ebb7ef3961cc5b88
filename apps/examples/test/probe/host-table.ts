import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checksFor } from "./checks.ts";
import { type HostRecord, RESULTS } from "./host-record.ts";

const HEAD = `# Hosts

This page shows what the probe found on each host, in its last recorded run. \`pnpm hosts\` writes this page from [the records](../results); a test compares
it with them. [The recipes](servers.md) are on a page of their own.

A host is a server with its runtime. The probe starts its recipe as a program, and makes ${checksFor(0).length} checks over its port. Where one
does not hold, the table says what the host does.

## Hosts and versions
`;

/** All records, by the names of their hosts. */
export function readRecords(): readonly HostRecord[] {
  return readdirSync(RESULTS)
    .map((file) => JSON.parse(readFileSync(join(RESULTS, file), "utf8")) as HostRecord)
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

/** The page of the probe: its checks, and what the records have for each of them. */
export function encodeHostsPage(records: readonly HostRecord[]): string {
  const checks = checksFor(0);
  const hosts = records.map(({ name, versions, results }) => {
    const held = checks.filter(({ id }) => results[id]?.startsWith("yes")).length;
    const pins = Object.entries(versions).map(([pinned, version]) => `${pinned} ${version}`);
    return [name, pins.join(", "), `${held} of ${checks.length}`];
  });
  const cells = checks.map(({ id }) => [id, ...records.map(({ results }) => cellOf(results[id]))]);
  return [
    HEAD,
    encodeTable(["host", "versions", "checks that hold"], hosts),
    "\n## Checks and hosts\n",
    encodeTable(["check", ...records.map(({ name }) => name)], cells),
    "\n## What each check is\n",
    encodeTable(
      ["check", "clauses, and what has to hold"],
      checks.map(({ id, name }) => [id, name.replaceAll(/\bW\d+/g, linkTo)]),
    ),
    "",
  ].join("\n");
}

function linkTo(clause: string): string {
  return `[${clause}](../../../packages/http/WIRE.md#${clause.toLowerCase()})`;
}

function cellOf(result = "not tried"): string {
  return result === "yes" ? "✓" : result.replace(/^yes: /, "✓ ").replace(/^no: /, "");
}

/** As the formatter has it: each column is as wide as its widest cell. */
function encodeTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, at) =>
    Math.max(3, name.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lineOf = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [lineOf(head), rule, ...rows.map(lineOf)].join("\n");
}
