import { writeSync } from "node:fs";

/** What the process is about, to be said if it ends meanwhile, as by a store that calls `process.exit`. */
export interface ExitWatch {
  /**
   * @param what follows "The process ended"
   * @param code the exit code then, whatever it was going to be
   */
  about(what: string, code: number): void;
  /** From then on the process may end. */
  done(): void;
}

/** Watches for as long as the process lives. */
export function createExitWatch(): ExitWatch {
  let open: { readonly what: string; readonly code: number } | null = null;
  process.on("exit", () => {
    if (open === null) return;
    // By the descriptor: nothing that has to wait is done any more.
    writeSync(2, `run-events-conformance: The process ended ${open.what}.\n`);
    process.exitCode = open.code;
  });
  return {
    about(what, code) {
      open = { what, code };
    },
    done() {
      open = null;
    },
  };
}
