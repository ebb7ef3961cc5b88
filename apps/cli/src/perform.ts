import { RunEventsError, type RunEventsErrorCode } from "@tm/run-events-core";
import { isRunId, runNotFound } from "@tm/run-events-core/store";
import { createApi } from "./api.ts";
import { describeFailure } from "./describe-failure.ts";
import { escapeText } from "./escape-text.ts";
import { execCommand } from "./exec.ts";
import { EXIT } from "./exit-code.ts";
import { listRuns } from "./list.ts";
import { type Command, parseCommand } from "./parse-command.ts";
import { FIRST_PATIENCE_MS, retrying } from "./retrying.ts";
import { tailRun } from "./tail.ts";
import { USAGE } from "./usage.ts";

/** The codes that say that there is no such run for this user, or no such user. */
const NOT_FOUND: ReadonlySet<RunEventsErrorCode> = new Set(["not_found", "unauthenticated"]);

/**
 * Does what a command line asks for.
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
    return await perform(command);
  } catch (error) {
    if (!(error instanceof RunEventsError)) throw error;
    complain(describeFailure(error));
    return NOT_FOUND.has(error.code) ? EXIT.notFound : EXIT.server;
  }
}

function complain(text: string): void {
  process.stderr.write(`run-events: ${escapeText(text)}\n`);
}

async function perform(command: Command): Promise<number> {
  if (command.name === "help") {
    process.stdout.write(USAGE);
    return EXIT.ok;
  }
  const api = createApi(command.target);
  switch (command.name) {
    case "exec":
      return execCommand(api, command);
    case "list":
      return listRuns(api, command.status);
    case "tail":
      return tailRun(api, { ...command, runId: checkedRunId(command.runId) });
    case "cancel": {
      const runId = checkedRunId(command.runId);
      const patience = { patienceMs: FIRST_PATIENCE_MS };
      const { runStatus } = await retrying(() => api.cancel(runId), patience);
      process.stdout.write(`run ${runId} ${escapeText(runStatus)}\n`);
      return EXIT.ok;
    }
  }
}

/** An id that no run can have makes no valid path either. */
function checkedRunId(runId: string): string {
  if (!isRunId(runId)) throw runNotFound();
  return runId;
}
