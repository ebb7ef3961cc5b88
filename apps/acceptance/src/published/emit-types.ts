import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readPacked, ROOT } from "../read-pages.ts";

const TSC = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));

/** One export path of a package. */
interface Door {
  /** The name by which it is imported. */
  readonly name: string;
  /** The file of its types in the folder. */
  readonly types: string;
}

/** The published types: all that `tsc` writes of the sources of each package. */
export interface EmittedTypes {
  readonly doors: readonly Door[];
  /** The configuration of a project in which the doors' names resolve to their types. */
  readonly config: string;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
}

async function doorsOf(packageFolder: string, folder: string): Promise<readonly Door[]> {
  const text = await readFile(join(ROOT, packageFolder, "package.json"), "utf8");
  const { name, exports } = JSON.parse(text) as Manifest;
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === "string") return [];
    const types = target.types.replace("./dist/", "src/");
    return [{ name: `${name}${path.slice(1)}`, types: join(folder, packageFolder, types) }];
  });
}

/**
 * Writes the types of all packages into a folder, with the settings of their builds. Nothing is checked: `pnpm run types` does that.
 * @throws Error if `tsc` fails
 */
export async function emitTypes(folder: string): Promise<EmittedTypes> {
  const packages = [...(await readPacked()).keys()];
  const typeRoots = [join(ROOT, "node_modules/@types")];
  const emission = {
    extends: join(ROOT, "tsconfig.base.json"),
    compilerOptions: {
      rootDir: ROOT,
      outDir: folder,
      emitDeclarationOnly: true,
      noCheck: true,
      stripInternal: true,
      types: ["node"],
      typeRoots,
    },
    include: packages.map((path) => join(ROOT, path, "src")),
  };
  const emissionConfig = join(folder, "tsconfig.emission.json");
  await writeFile(emissionConfig, JSON.stringify(emission));
  await promisify(execFile)(process.execPath, [TSC, "-p", emissionConfig]);

  const doors = (await Promise.all(packages.map((path) => doorsOf(path, folder)))).flat();
  const config = join(folder, "tsconfig.json");
  const reading = {
    compilerOptions: {
      module: "NodeNext",
      lib: ["ES2024", "ESNext.Disposable", "WebWorker"],
      noEmit: true,
      types: ["node"],
      typeRoots,
      paths: Object.fromEntries(doors.map(({ name, types }) => [name, [types]])),
    },
    files: doors.map(({ types }) => types),
  };
  await writeFile(config, JSON.stringify(reading));
  return { doors, config };
}
