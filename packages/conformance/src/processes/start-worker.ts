import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KitStore } from "../kit-store.ts";
import { within } from "../within.ts";
import { type Command, type Message, type Opening, parseFailure } from "./messages.ts";

/** Another process with a store of its own. */
export interface Worker {
  readonly name: string;
  /** Its store. A call throws what it threw there, or an Error with the stderr of a process that has ended. */
  readonly store: KitStore;
  /** Ends it at once, without a chance to tidy up. Resolves when all its messages have arrived. Idempotent. */
  kill(): Promise<void>;
}

/** Options for starting a worker. */
export interface WorkerOptions extends Opening {
  readonly name: string;
  readonly execArgv: readonly string[] | undefined;
}

// Its source where this is source, else what was built of it.
const SCRIPT = fileURLToPath(new URL("worker.ts", import.meta.url)).replace(
  /\.ts$/,
  extname(import.meta.url),
);
/** Bounds a hang, not the store's speed. */
const ANSWER_DEADLINE_MS = 30_000;
const MAX_STDERR_LENGTH = 16_384;

/** A process that was forked, and the calls that it has not answered. */
class Fork {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #notified = new Map<number, (runId: string | null) => void>();
  readonly #gone: Promise<void>;
  #lastId = 0;
  #stderr = "";
  #failure: Error | null = null;

  constructor(name: string, execArgv: readonly string[] | undefined) {
    this.#name = name;
    this.#child = fork(SCRIPT, {
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
      // Starting takes most of a case's time, and most of that is compiling.
      env: { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"), ...process.env },
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr = (this.#stderr + chunk).slice(-MAX_STDERR_LENGTH);
    });
    this.#child.on("message", (message: Message) => this.#take(message));
    this.#gone = this.#end();
  }

  /** @param onNotification gets the notifications of a subscription */
  ask(
    call: Command["call"],
    args: readonly unknown[],
    onNotification?: (runId: string | null) => void,
  ): { readonly id: number; readonly answer: Promise<unknown> } {
    const id = ++this.#lastId;
    if (onNotification !== undefined) this.#notified.set(id, onNotification);
    const waiting = Promise.withResolvers<unknown>();
    if (this.#failure === null) this.#waiting.set(id, waiting);
    else waiting.reject(this.#failure);
    const command: Command = { id, call, args };
    // A process that has ended takes no more commands; its exit reports that.
    this.#child.send(command, () => {});
    const what = `the answer of worker ${this.#name} to ${call}`;
    return { id, answer: within(ANSWER_DEADLINE_MS, waiting.promise, what) };
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  #take(message: Message): void {
    if ("notified" in message) return this.#notified.get(message.notified)?.(message.runId);
    const call = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("answer" in message) call?.resolve(message.answer);
    else call?.reject(parseFailure(message.failure, this.#name));
  }

  /** Waits for its end, once its output and its messages have all arrived. */
  async #end(): Promise<void> {
    const how = await endOf(this.#child);
    this.#failure = new Error(`Worker ${this.#name} ended ${how}.\n${this.#stderr}`.trimEnd());
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}

/** Forks a worker, which opens a store. The caller kills it. It ends by itself when this process does. */
export async function startWorker(
  { name, execArgv, ...opening }: WorkerOptions,
  onStart: (kill: () => Promise<void>) => void,
): Promise<Worker> {
  const forked = new Fork(name, execArgv);
  const kill = (): Promise<void> => forked.kill();
  onStart(kill);
  const capabilities = await forked.ask("open", [opening]).answer;
  return { name, store: storeOf(forked, capabilities), kill };
}

/** The store of another process: its arguments and answers are data. Only that process can look beneath it. */
function storeOf(forked: Fork, capabilities: unknown): KitStore {
  const subscribe: KitStore["subscribe"] = (subject, onNotification) => {
    let isStopped = false;
    const { id, answer } = forked.ask("subscribe", [subject], (runId) => {
      if (!isStopped) onNotification(runId);
    });
    // Rejects if the process is killed. A caller that waits for the answer still gets the error.
    answer.catch(() => {});
    return {
      ready: answer as Promise<void>,
      stop() {
        isStopped = true;
        forked.ask("stop", [id]).answer.catch(() => {});
      },
    };
  };
  const own: Partial<KitStore> = {
    capabilities: capabilities as KitStore["capabilities"],
    subscribe,
  };
  return new Proxy(own as KitStore, {
    get: (_, name: keyof KitStore) =>
      own[name] ?? ((...args: readonly unknown[]) => forked.ask(name, args).answer),
  });
}

/** Resolves with how a process ended. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const ends = [once(child, "close"), once(child, "disconnect")] as const;
    const [[code, signal]] = (await Promise.all(ends)) as [[number | null, string | null], unknown];
    return signal === null ? `with exit code ${code}` : `by ${signal}`;
  } catch (error) {
    return `before it began: ${String(error)}`;
  }
}
