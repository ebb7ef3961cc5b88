import type { ConformanceCase } from "../conformance.ts";
import { crashCases, type CrashHooks } from "./crash-cases.ts";
import { runWithCrew, type ProcessDoors } from "./crew.ts";
import { createLedger } from "./ledger.ts";
import { processCases } from "./process-cases.ts";

export type { CrashHooks } from "./crash-cases.ts";
export type { ProcessDoors } from "./crew.ts";

/** Which store to try from many processes. */
export interface ProcessConformanceOptions<Place> extends ProcessDoors<Place> {
  /** Stands in the message of every failure. */
  readonly name: string;
  /** How the store's server crashes, where it has one. Cases that share a server then have to run one after the other. */
  readonly crash?: CrashHooks;
}

/**
 * What the contract promises to many processes on the same data, and after their crash, as cases of the kit's usual shape. Each
 * forks processes of its own, and ends them. Needs Node.
 *
 * @example
 * const cases = runProcessConformance({
 *   name: "files",
 *   module: new URL("open-file-store.ts", import.meta.url),
 *   prepare: () => mkdtemp(join(tmpdir(), "kit-")),
 *   destroy: (folder) => rm(folder, { recursive: true }),
 * });
 */
export function runProcessConformance<Place>(
  options: ProcessConformanceOptions<Place>,
): readonly ConformanceCase[] {
  const { crash = null } = options;
  const bodies = [
    ...processCases.map(({ name, run }) => ({ name, body: () => runWithCrew(options, run) })),
    ...crashCases(crash).map(({ name, run }) => ({
      name,
      async body() {
        const ledger = createLedger();
        await runWithCrew(options, (crew) => run(crew, ledger), ledger.take);
      },
    })),
  ];
  return bodies.map(({ name, body }) => ({
    name,
    clause: name.slice(0, name.indexOf(" ")),
    async run() {
      try {
        await body();
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`${options.name}: ${name}\n${why}`, { cause });
      }
    },
  }));
}
