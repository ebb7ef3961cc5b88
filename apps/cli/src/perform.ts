import { createClient } from "@tm/run-events-client/runs";
import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { runNotFound } from "@tm/run-events-core/store";
import { escapeText, isRunId } from "@tm/run-events-core/wire";
import { describeFailure } from "./describe-failure.ts";
import { execCommand } from "./exec.ts";
import { EXIT } from "./exit-code.ts";
import { listRuns } from "./list.ts";
import { type Command, parseCommand } from "./parse-command.ts";
import { tailRun } from "./tail.ts";
import { USAGE } from "./usage.ts";

/** The codes of errors for an unknown run, or an invalid token. */
const NOT_FOUND: ReadonlySet<RunEventsErrorCode> = new Set(["not_found", "unauthenticated"]);

/** The limit for a server that has never answered, because its address may be wrong; and the longest pause between two attempts. */
const PATIENCE = { patienceMs: 5_000, mostDelayMs: 5_000 } as const;

/**
 * Runs a command line.
 * @param argv without the program's own name
 * @returns the exit code
 */
export async function runCommandLine(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const command = parseCommand(argv, env);
  if ("wrong" in command) {
    complain(`${command.wrong} (see run-events --help)`);
    return EXIT.usage;
  }
  try {
    return await perform(command, env);
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    complain(describeFailure(error));
    if (command.name === "tail" && error.code === "history_changed") return EXIT.historyChanged;
    return NOT_FOUND.has(error.code) ? EXIT.notFound : EXIT.server;
  }
}

function complain(text: string): void {
  process.stderr.write(`run-events: ${escapeText(text)}\n`);
}

async function perform(command: Command, env: NodeJS.ProcessEnv): Promise<number> {
  if (command.name === "help") {
    process.stdout.write(USAGE);
    return EXIT.ok;
  }
  if (command.name === "serve") {
    // Loaded only here, because the drivers of its stores would slow down every other command.
    const { serve } = await import("@tm/run-events-server");
    return serve(env);
  }
  const { url: baseUrl, basePath, token: bearer } = command.target;
  const runs = createClient({ baseUrl, basePath, credential: { bearer }, ...PATIENCE });
  switch (command.name) {
    case "exec":
      return execCommand(runs, command);
    case "list":
      return listRuns(runs, command);
    case "tail":
      return tailRun(runs, { ...command, runId: checkedRunId(command.runId) });
    case "input": {
      const runId = checkedRunId(command.runId);
      const { runStatus } = await runs.input(runId, command.payload);
      process.stdout.write(`run ${runId} ${escapeText(runStatus)}\n`);
      return EXIT.ok;
    }
    case "cancel": {
      const runId = checkedRunId(command.runId);
      const { runStatus } = await runs.cancel(runId);
      process.stdout.write(`run ${runId} ${escapeText(runStatus)}\n`);
      return EXIT.ok;
    }
  }
}

/** Refuses an id that no run can have, before it becomes part of a path. */
function checkedRunId(runId: string): string {
  if (!isRunId(runId)) throw runNotFound();
  return runId;
}
