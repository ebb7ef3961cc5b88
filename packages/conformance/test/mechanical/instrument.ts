import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { Instrumenter } from "@stryker-mutator/instrumenter";

/** A change of the source that nobody wrote for a case: another operator, an empty block, a condition that is always true. */
export interface MechanicalMutant {
  readonly id: string;
  /** The path of the file within the sources of core. */
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  readonly replacement: string;
}

/** What Stryker's switches in the sources read. */
export interface Switches {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number;
  hitLimit?: number;
  readonly mutantCoverage?: { readonly perTest: Record<string, Record<string, number>> };
}

/** The switches of this process. */
export const switches: Switches = ((
  globalThis as { __stryker__?: Switches }
).__stryker__ ??= {});

const silent = (): void => {};
const LOGGER = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  fatal: silent,
};

/** Has this process load the files of core with all mutants in them, each behind a switch. Call it before core is imported. */
export async function loadMutated(core: URL, files: readonly string[]): Promise<readonly MechanicalMutant[]> {
  const input = files.map((file) => {
    const name = fileURLToPath(new URL(file, core));
    return { name, content: readFileSync(name, "utf8"), mutate: true };
  });
  const { files: output, mutants } = await new Instrumenter(LOGGER).instrument(input, {
    plugins: null,
    // A text is a name or a message here.
    excludedMutations: ["StringLiteral"],
    ignorers: [],
  } as never);
  const sources = new Map(output.map(({ name, content }) => [name, content]));
  registerHooks({
    load(url, context, nextLoad) {
      const source = url.startsWith("file:") ? sources.get(fileURLToPath(url)) : undefined;
      if (source === undefined) return nextLoad(url, context);
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
  const root = fileURLToPath(core);
  return mutants.map(({ id, fileName, location, mutatorName, replacement }) => ({
    id,
    file: fileName.replace(root, ""),
    line: location.start.line,
    mutator: mutatorName,
    replacement,
  }));
}
