import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "./log.ts";

/** What is recorded at the start, under way or over. */
export interface Sample {
  /** Ends the recording, as cancelled. Resolves when its process has ended. Idempotent. */
  stop(): Promise<void>;
}

/** What a server has around it: the files of the installed package, or a clone of the repository. */
export interface Surroundings {
  /** The folder of the built console. */
  findConsole(): Promise<string>;
  /** Records a run for newcomers to look at; `null` where there is nothing to record. */
  readonly recordSample:
    | ((server: { readonly url: string; readonly token: string }, log: Log) => Sample)
    | null;
}

/** The installed package: its console was built when it was packed, and nothing is built or written at the start. */
export const INSTALLED: Surroundings = {
  async findConsole() {
    const folder = join(import.meta.dirname, "../console");
    if (existsSync(folder)) return folder;
    throw new Error(
      `expected the built console in ${folder}, which is in the packed package alone; in a clone of the repository, start with npx -y pnpm@12 start`,
    );
  },
  recordSample: null,
};
