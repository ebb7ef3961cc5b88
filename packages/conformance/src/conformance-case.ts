import { BrokenClause } from "./assert.ts";
import { isSentence, sayWhy } from "./describe-error.ts";

/** One test of the kit, for any test runner. */
export interface ConformanceCase {
  /** A sentence that begins with the clause. */
  readonly name: string;
  /**
   * The clause that it tests: S1 to S31 in `STORE.md` of `@tm/run-events-core`, or W1 to W49 in `WIRE.md` of `@tm/run-events-http`.
   */
  readonly clause: string;
  /** The time to wait for `run` before it counts as hung, in milliseconds. Bounds a hang, not the speed of the store. */
  readonly timeoutMs: number;
  /**
   * Opens a store, tests it, closes and destroys what it opened. Cases of a store share nothing and may run at once. Its parameter is
   * what vitest and `node:test` pass to a test: when the signal aborts, the stores are closed and destroyed.
   * @throws Error with the clause, what was expected and what came; for a random case also the smallest input that was found, and the
   * option that runs it again
   * @throws the signal's reason, once it is aborted
   */
  readonly run: (context?: RunContext) => Promise<void>;
}

/** The context that a test runner passes to a test. */
export interface RunContext {
  readonly signal?: AbortSignal | undefined;
}

/** Why a case failed. */
export class CaseFailure extends Error {
  /** The broken clause: the case's own, or another one that it found broken. */
  readonly clause: string;

  /** @param found.named the case's own clause */
  constructor(message: string, { named, cause }: { readonly named: string; cause: unknown }) {
    // A cause that the message already contains would only be repeated.
    super(message, isSentence(cause) ? undefined : { cause });
    this.clause = clauseOf(cause) ?? named;
  }
}

/** The clause that an error or one of its causes names. */
function clauseOf(error: unknown): string | null {
  if (error instanceof BrokenClause) return error.clause;
  return error instanceof Error ? clauseOf(error.cause) : null;
}

/**
 * A case whose failure names the store and the case.
 * @param named the name begins with the clause
 * @param report makes the whole message of a failure
 * @param causeOf what a failure is at bottom. Default: what was thrown
 */
export function nameCase(
  { name, timeoutMs }: Pick<ConformanceCase, "name" | "timeoutMs">,
  run: (context: RunContext) => Promise<void>,
  report: (cause: unknown) => Promise<string> | string,
  causeOf: (caught: unknown) => unknown = (caught) => caught,
): ConformanceCase {
  const clause = name.slice(0, name.indexOf(" "));
  return {
    name,
    clause,
    timeoutMs,
    // A parameter with a default does not count: some runners take one that counts for a callback.
    async run(context = {}) {
      try {
        await run(context);
      } catch (caught) {
        throw new CaseFailure(await report(caught), { named: clause, cause: causeOf(caught) });
      }
    },
  };
}

/** The beginning of every failure: the store, the case, and the fault. */
export function sayFailure(who: string, name: string, cause: unknown): string {
  return `${who}: ${name}\n${sayWhy(cause)}`;
}
