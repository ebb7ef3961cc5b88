import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BrokenClause } from "../assert.ts";
import { within } from "../within.ts";
import type { Command, Message, Report, WorkerCommands } from "./worker-commands.ts";

type Input<Name extends keyof WorkerCommands> = Parameters<WorkerCommands[Name]>[0];
type Answer<Name extends keyof WorkerCommands> = Awaited<ReturnType<WorkerCommands[Name]>>;

/** Another process with a store of its own. */
export interface Worker {
  readonly name: string;
  /** @throws Error with what was thrown in the worker, or with its stderr if it ended */
  call<Name extends keyof WorkerCommands>(command: Name, input: Input<Name>): Promise<Answer<Name>>;
  /** Ends it at once, without a chance to tidy up. Resolves when all its messages have arrived. Idempotent. */
  kill(): Promise<void>;
}

/** How a worker is started. */
export interface WorkerOptions {
  readonly name: string;
  readonly execArgv: readonly string[] | undefined;
  readonly onReport: (report: Report) => void;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

// Its source where this is source, else what was built of it.
const SCRIPT = fileURLToPath(new URL("worker.ts", import.meta.url)).replace(
  /\.ts$/,
  extname(import.meta.url),
);
/** Bounds a hang, not the store's speed. */
const ANSWER_DEADLINE_MS = 30_000;
const MAX_STDERR_LENGTH = 16_384;

/** Forks a worker, which the caller kills. It ends by itself when this process does. */
export async function startWorker({ name, execArgv, onReport }: WorkerOptions): Promise<Worker> {
  const child = fork(SCRIPT, {
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    // Starting takes most of a case's time, and most of that is compiling.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"), ...process.env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let stderr = "";
  let failure: Error | null = null;
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr = (stderr + chunk).slice(-MAX_STDERR_LENGTH);
  });

  child.on("message", (message: Message) => {
    if ("report" in message) return onReport(message.report);
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if ("answer" in message) call?.resolve(message.answer);
    else call?.reject(errorOf(message));
  });

  function errorOf({
    failure: why,
    clause,
  }: Extract<Message, { readonly failure: string }>): Error {
    return clause === null
      ? new Error(`Worker ${name}: ${why}`)
      : new BrokenClause(clause, `Worker ${name}: ${why}`);
  }

  const gone = endOf(child).then((how) => {
    failure = new Error(`Worker ${name} ended ${how}.\n${stderr}`.trimEnd());
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
  });

  function answerTo(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (failure === null) waiting.set(id, { resolve, reject });
      else reject(failure);
    });
  }

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await gone;
  }

  try {
    await within(ANSWER_DEADLINE_MS, answerTo(0), `the start of worker ${name}`);
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    name,
    call(command, input) {
      const id = ++lastId;
      const answer = answerTo(id);
      const message: Command = { id, command, input };
      // One that has ended takes no more commands, and its end shows that.
      child.send(message, () => {});
      const what = `the answer of worker ${name} to ${command}`;
      return within(ANSWER_DEADLINE_MS, answer as Promise<Answer<typeof command>>, what);
    },
    kill,
  };
}

/** Resolves with how a process ended, once its output and its messages have all arrived. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const ends = [once(child, "close"), once(child, "disconnect")] as const;
    const [[code, signal]] = (await Promise.all(ends)) as [[number | null, string | null], unknown];
    return signal === null ? `with exit code ${code}` : `by ${signal}`;
  } catch (error) {
    return `before it began: ${String(error)}`;
  }
}
