import type { RunSnapshot, RunStatus } from "@tm/run-events-core";
import { encodeTime } from "@tm/run-events-core/wire";
import type { Api, RunList } from "./api.ts";
import { escapeJson, escapeText } from "./escape-text.ts";
import { EXIT } from "./exit-code.ts";
import { FIRST_PATIENCE_MS, retrying } from "./retrying.ts";
import { createScreen } from "./screen.ts";

/**
 * Writes the caller's runs, newest first, one a line: aligned on a terminal, separated by tabs in a pipe.
 * @returns the exit code
 * @throws RunEventsError if they cannot be had
 */
export async function listRuns(api: Api, status: RunStatus | null): Promise<number> {
  const screen = createScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    onClosed(output) {
      if (output === "stdout") process.exit(EXIT.ok);
    },
  });
  const encode = process.stdout.isTTY === true ? encodeAligned : encodeTabbed;
  let cursor: string | null = null;
  do {
    const query: Parameters<Api["listRuns"]>[0] = { status, cursor };
    const list: RunList = await retrying(() => api.listRuns(query), {
      patienceMs: FIRST_PATIENCE_MS,
    });
    for (const run of list.runs) {
      await screen.write("stdout", `${encode(columnsOf(run, list.retentionMs))}\n`);
    }
    cursor = list.nextCursor;
  } while (cursor !== null);
  return EXIT.ok;
}

function encodeTabbed(columns: readonly string[]): string {
  return columns.join("\t");
}

function encodeAligned(columns: readonly string[]): string {
  const widths = [36, 9, 7, 24, 20];
  return columns
    .map((column, index) => column.padEnd(widths[index] ?? 0))
    .join("  ")
    .trimEnd();
}

/** @param retentionMs how long finished runs are kept; `null` for ever, and then there is no column for when one goes */
function columnsOf(run: RunSnapshot, retentionMs: number | null): readonly string[] {
  const { runId, runStatus, lastSequence, createdAt, finishedAt, currentPhase } = run;
  // A phase may hold anything, but a run is one line.
  const phase = escapeJson(JSON.stringify(currentPhase ?? ""));
  const own = [runId, runStatus, `${lastSequence}`, createdAt].map(escapeText);
  const columns = [...own, phase];
  if (retentionMs === null) return columns;
  const goesAt = finishedAt === null ? "" : encodeTime(Date.parse(finishedAt) + retentionMs);
  return [...columns, goesAt];
}
