import type { Client, KeptRun, RunList } from "@tm/run-events-client/runs";
import { escapeJson, escapeText } from "@tm/run-events-core/wire";
import { EXIT } from "./exit-code.ts";
import type { Command } from "./parse-command.ts";
import { createScreen } from "./screen.ts";

/**
 * Writes the caller's runs, newest first, one a line. Columns are aligned on a terminal, and separated by tabs in a pipe.
 * @returns the exit code
 * @throws RunEventsError if the runs cannot be read
 */
export async function listRuns(
  runs: Client,
  { status, topic }: Extract<Command, { readonly name: "list" }>,
): Promise<number> {
  const screen = createScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    onClosed(output) {
      if (output === "stdout") process.exit(EXIT.ok);
    },
  });
  const encode = process.stdout.isTTY === true ? encodeAligned : encodeTabbed;
  let cursor: string | undefined;
  do {
    const list: RunList = await runs.list({
      status: status ?? undefined,
      topic: topic ?? undefined,
      cursor,
    });
    for (const run of list.runs) {
      const columns = columnsOf(run, list.retentionMs !== null);
      await screen.write("stdout", `${encode(columns)}\n`);
    }
    cursor = list.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return EXIT.ok;
}

function encodeTabbed(columns: readonly string[]): string {
  return columns.join("\t");
}

function encodeAligned(columns: readonly string[]): string {
  const widths = [36, 9, 7, 24, 20, 20, 20];
  return columns
    .map((column, index) => column.padEnd(widths[index] ?? 0))
    .join("  ")
    .trimEnd();
}

/** @param isRemoved whether the server removes finished runs. Only then is there a column for the time of removal */
function columnsOf(run: KeptRun, isRemoved: boolean): readonly string[] {
  const { runId, runStatus, lastSequence, createdAt, keptUntil, currentPhase, lease, topic } = run;
  // A phase, a name and a topic may hold nearly any characters, but a run must be one line.
  const quoted = [currentPhase, lease?.worker, topic].map((text) =>
    escapeJson(JSON.stringify(text ?? "")),
  );
  const own = [runId, runStatus, `${lastSequence}`, createdAt].map(escapeText);
  return [...own, ...quoted, ...(isRemoved ? [keptUntil ?? ""] : [])];
}
