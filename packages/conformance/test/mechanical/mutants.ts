import { readdirSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { Instrumenter } from "@stryker-mutator/instrumenter";

/** A change of a source that a tool makes: another operator, an empty block, a condition that is always true. */
export interface MechanicalMutant {
  /** The number of its switch. */
  readonly id: string;
  /** The path of the file within `packages`. */
  readonly file: string;
  /** The line and the column at which the change begins. */
  readonly at: string;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
}

/** The state that Stryker's switches in the sources read and count. */
interface Switches {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number;
  hitLimit?: number;
  readonly mutantCoverage?: { readonly perTest: Record<string, Record<string, number>> };
}

/** Both from 0. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** The switches of this process. */
export const switches: Switches = ((globalThis as { __stryker__?: Switches }).__stryker__ ??= {});

const PACKAGES = new URL("../../../", import.meta.url);
/** Logs nothing at any level. */
const LOGGER = new Proxy({} as ConstructorParameters<typeof Instrumenter>[0], {
  get: () => () => false,
});

/** The sources in these folders of `packages` whose paths match one pattern and not the other. */
export function sourcesIn(
  folders: readonly string[],
  { only, except }: { readonly only: string; readonly except: string },
): readonly string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(new URL(folder, PACKAGES), { recursive: true, encoding: "utf8" }).map(
        (file) => `${folder}${file}`,
      ),
    )
    .filter((file) => file.endsWith(".ts") && RegExp(only).test(file) && !RegExp(except).test(file))
    .toSorted();
}

/** Makes this process load the files with all mutants in them, each behind a switch. Call it before anything imports one of them. */
export async function loadMutated(files: readonly string[]): Promise<readonly MechanicalMutant[]> {
  const contents = new Map(
    files.map((file) => {
      const path = fileURLToPath(new URL(file, PACKAGES));
      return [path, readFileSync(path, "utf8")] as const;
    }),
  );
  const input = [...contents].map(([name, content]) => ({ name, content, mutate: true }));
  const { files: output, mutants } = await new Instrumenter(LOGGER).instrument(input, {
    plugins: null,
    // A text is a name or a message here.
    excludedMutations: ["StringLiteral"],
    ignorers: [],
  });
  const sources = new Map(output.map(({ name, content }) => [name, content]));
  registerHooks({
    load(url, context, nextLoad) {
      const source = url.startsWith("file:") ? sources.get(fileURLToPath(url)) : undefined;
      if (source === undefined) return nextLoad(url, context);
      return { format: "module-typescript", source, shortCircuit: true };
    },
  });
  return mutants
    .filter(({ status }) => status !== "Ignored")
    .map(({ id, fileName, location: { start, end }, mutatorName, replacement }) => ({
      id,
      file: fileName.replace(fileURLToPath(PACKAGES), ""),
      at: `${start.line + 1}:${start.column + 1}`,
      mutator: mutatorName,
      original: cut(contents.get(fileName) ?? "", start, end),
      replacement,
    }));
}

function cut(content: string, start: Place, end: Place): string {
  const lines = content.split("\n").slice(start.line, end.line + 1);
  const most = (lines.at(-1) ?? "").length - end.column;
  const text = lines.join("\n");
  return text.slice(start.column, text.length - most);
}
