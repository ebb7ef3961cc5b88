// The program of a worker: opens the author's store and runs the parent's commands. See start-worker.ts.
import { flushCompileCache } from "node:module";
import type { Command, Message, Report } from "./worker-commands.ts";
import { BrokenClause } from "../assert.ts";
import { describeError, framesOf } from "../describe-error.ts";
import { createWorker } from "./create-worker.ts";

/** Resolves once the system has the message: a message that was sent before a crash arrives. */
function send(message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined)
      throw new TypeError(
        "Expected the kit to fork this file, got a start by hand. Run a process test instead.",
      );
    process.send(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}

// The parent owns this process: without it the process would not end.
process.on("disconnect", () => process.exit());

const worker = createWorker((report: Report) => send({ report }));

async function obey({ id, command, input }: Command): Promise<void> {
  try {
    const answer = await worker[command](input as never);
    await send({ id, answer });
    // Else it is written when a process ends, and this one is killed.
    if (command === "open") flushCompileCache();
  } catch (error) {
    await send({ id, ...encodeError(error) });
  }
}

function encodeError(error: unknown): { readonly failure: string; readonly clause: string | null } {
  if (error instanceof BrokenClause) return { failure: error.why, clause: error.clause };
  const frames = error instanceof Error ? framesOf(error) : [];
  return { failure: [describeError(error), ...frames].join("\n"), clause: null };
}

process.on("message", (command: Command) => void obey(command));
await send({ id: 0, answer: null });
