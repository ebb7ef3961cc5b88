import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What a child process does for its parent: arguments and answers travel as structured clones. */
type Api<Self> = {
  readonly [Name in keyof Self]: (argument: never) => unknown;
};

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/** A process of its own. */
export interface Child<Self extends Api<Self>> {
  /**
   * Calls a function of the child.
   * @throws what it threw, or that the child has ended.
   */
  call<Name extends keyof Self & string>(
    name: Name,
    ...argument: Parameters<Self[Name]>
  ): Promise<Awaited<ReturnType<Self[Name]>>>;
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a module as a process that calls `serveParent`, with this process's own Node flags.
 * @param parameters what the module finds in `process.argv` from index 2 on
 */
export function startChild<Self extends Api<Self>>(
  module: URL,
  ...parameters: readonly string[]
): Child<Self> {
  return startChildWith([], module, ...parameters);
}

/** As `startChild`, with these flags of Node's besides. */
export function startChildWith<Self extends Api<Self>>(
  flags: readonly string[],
  module: URL,
  ...parameters: readonly string[]
): Child<Self> {
  const child = fork(module, parameters, {
    serialization: "advanced",
    execArgv: [...process.execArgv, ...flags],
  });
  const gone = once(child, "exit");
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  child.on("message", (message) => settle(waiting, message as Answer));
  void gone.then(([code]) => {
    for (const { reject } of waiting.values()) {
      reject(new Error(`${module.pathname} ended with ${String(code)}`));
    }
    waiting.clear();
  });
  return {
    call(name, argument?) {
      const question: Question = { id: ++lastId, name, argument };
      const answer = Promise.withResolvers<unknown>();
      waiting.set(question.id, answer);
      child.send(question, (error) => {
        if (error !== null) settle(waiting, { id: question.id, error: error.message });
      });
      // The other side of the same type answers.
      return answer.promise as Promise<never>;
    },
    async stop() {
      end(child);
      await gone;
    },
  };
}

/** Lends processes, as many as are started, and ends them all. */
export async function withChildren<Result>(
  use: (start: typeof startChild) => Promise<Result>,
): Promise<Result> {
  const children: { stop(): Promise<void> }[] = [];
  try {
    return await use((module, ...parameters) => {
      const child = startChild(module, ...parameters);
      children.push(child);
      return child as never;
    });
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** Lends a database server, and processes that work on it, and ends them all. */
export async function withServer<Server extends { close(): Promise<void> }, Result>(
  starting: Promise<Server>,
  use: (server: Server, start: typeof startChild) => Promise<Result>,
): Promise<Result> {
  const server = await starting;
  try {
    return await withChildren((start) => use(server, start));
  } finally {
    await server.close();
  }
}

function settle(waiting: Map<number, PromiseWithResolvers<unknown>>, answer: Answer): void {
  const question = waiting.get(answer.id);
  waiting.delete(answer.id);
  if ("error" in answer) question?.reject(new Error(answer.error));
  else question?.resolve(answer.value);
}

function end(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}

/** Answers the parent's calls until it lets go; then the process ends. */
export function serveParent<Self extends Api<Self>>(api: Self): void {
  const functions = new Map(
    Object.entries(api) as (readonly [string, (argument: unknown) => unknown])[],
  );
  process.on("message", (message) => {
    const { id, name, argument } = message as Question;
    void (async () => {
      let answer: Answer;
      try {
        answer = { id, value: await functions.get(name)?.(argument) };
      } catch (error) {
        answer = {
          id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        };
      }
      process.send?.(answer, undefined, undefined, (error) => {
        // The parent has gone: no process needs the answer.
        if (error !== null) process.exit();
      });
    })();
  });
  process.once("disconnect", () => process.exit());
}

/**
 * Runs the subject that the parent names in the first parameter. The other parameters are for the subject. A subject imports its own
 * packages, so that no process loads the packages of another subject.
 */
export async function runSubject(
  subjects: Readonly<Record<string, (...parameters: readonly string[]) => Promise<void> | void>>,
): Promise<void> {
  const [, , name = "", ...parameters] = process.argv;
  const subject = subjects[name];
  if (subject === undefined) throw new TypeError(`Expected the name of a subject, got ${name}.`);
  await subject(...parameters);
}
