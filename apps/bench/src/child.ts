import { fork } from "node:child_process";
import { once } from "node:events";

/** The calls that a child process answers for its parent: arguments and answers travel as structured clones. */
export type Api<Self> = {
  readonly [Name in keyof Self]: (argument: never) => unknown;
};

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

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
}

/**
 * Starts a module as a process that calls `serveParent`. It ends with the scope.
 * @param parameters what the module finds in `process.argv` from index 2 on
 * @param flags of Node's, besides this process's own
 */
export function startChild<Self extends Api<Self>>(
  scope: AsyncDisposableStack,
  module: URL,
  parameters: readonly string[] = [],
  flags: readonly string[] = [],
): Child<Self> {
  const child = fork(module, parameters, {
    serialization: "advanced",
    execArgv: [...process.execArgv, ...flags],
  });
  const gone = once(child, "exit");
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  child.on("message", (message) => {
    const { id, value, error } = message as Answer;
    const answer = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) answer?.resolve(value);
    else answer?.reject(new Error(error));
  });
  void gone.then(([code]) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${module.pathname} ended with ${String(code)}`));
  });
  scope.defer(async () => {
    if (child.connected) child.disconnect();
    await gone;
  });
  let lastId = 0;
  return {
    call(name, argument?) {
      const question: Question = { id: ++lastId, name, argument };
      const answer = Promise.withResolvers<unknown>();
      waiting.set(question.id, answer);
      child.send(question, (error) => {
        if (error !== null) answer.reject(error);
      });
      // The other side of the same type answers.
      return answer.promise as Promise<never>;
    },
  };
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
        answer = { id, error: error instanceof Error ? String(error.stack) : String(error) };
      }
      // If the parent has gone, no process needs the answer.
      process.send?.(answer, undefined, undefined, () => {});
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
