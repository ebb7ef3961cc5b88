import { writeSync } from "node:fs";

/** Reports what the process was doing if it ends meanwhile, for example if a store calls `process.exit`. */
export class ExitWatch {
  #open: { readonly what: string; readonly code: number } | null = null;

  constructor() {
    process.on("exit", () => {
      if (this.#open === null) return;
      // By the descriptor: nothing that has to wait is done any more.
      writeSync(2, `run-events-conformance: The process ended ${this.#open.what}.\n`);
      process.exitCode = this.#open.code;
    });
  }

  /**
   * @param what follows "The process ended"
   * @param code the exit code then, in place of any other
   */
  about(what: string, code: number): void {
    this.#open = { what, code };
  }

  /** From then on the process may end. */
  done(): void {
    this.#open = null;
  }
}

/** An uncaught error, or the reason of an unhandled rejection. */
export interface Strays {
  /** The first as text, with its stack; `null` as long as there was none. */
  first(): string | null;
  /** From then on one ends the process again. */
  stop(): void;
}

/**
 * Catches what would else end the process.
 * @param onFirst is called at the first one
 */
export function catchStrays(onFirst: () => void): Strays {
  let first: string | null = null;
  function listen(error: unknown): void {
    if (first !== null) return;
    first = error instanceof Error ? (error.stack ?? error.message) : String(error);
    onFirst();
  }
  // Node brings rejections here too.
  process.on("uncaughtException", listen);
  return {
    first: () => first,
    stop: () => void process.off("uncaughtException", listen),
  };
}
