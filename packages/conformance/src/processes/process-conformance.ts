import { type ConformanceCase, nameCase, sayFailure } from "../conformance-case.ts";
import { crashCases, type CrashHooks } from "./crash-cases.ts";
import { runWithCrew, type ProcessDoors } from "./crew.ts";
import { createLedger } from "./ledger.ts";
import { processCases } from "./process-cases.ts";

export type { CrashHooks } from "./crash-cases.ts";
export type { ProcessDoors } from "./crew.ts";

/** How long a case may take before it counts as hung: its processes have to start, and a server to come back. */
const CASE_MS = 120_000;

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
  return bodies.map(({ name, body }) =>
    nameCase({ name, timeoutMs: CASE_MS }, body, (cause) => sayFailure(options.name, name, cause)),
  );
}
