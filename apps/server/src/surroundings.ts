import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "./log.ts";

/** The recording of a sample run, under way or over. */
export interface Sample {
  /** Ends the recording, as cancelled. Resolves when its process has ended. Idempotent. */
  stop(): Promise<void>;
}

/** The files around a server, which runs in the installed package or in a clone of the repository. */
export interface Surroundings {
  /** The folder of the built console. */
  findConsole(): Promise<string>;
  /** Records a sample run for newcomers; `null` in an installed package. */
  readonly recordSample:
    | ((server: { readonly url: string; readonly token: string }, log: Log) => Sample)
    | null;
}

/** The installed package. Its console was built when it was packed, and nothing is built or written at the start. */
export const INSTALLED: Surroundings = {
  async findConsole() {
    const folder = join(import.meta.dirname, "../console");
    if (existsSync(folder)) return folder;
    throw new Error(
      `expected the built console in ${folder}, which only the packed package has; in a clone of the repository, start with npx -y pnpm@12 start`,
    );
  },
  recordSample: null,
};
