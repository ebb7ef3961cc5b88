import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const SOURCE = join(import.meta.dirname, "../src");

/** A source file of core, as its text shows it. */
export interface Module {
  /** Below `src`, such as `rules/event.ts`. */
  readonly path: string;
  /** The folder, or the path for a file that is in none. */
  readonly room: string;
  /** The paths of the files that it imports. */
  readonly imports: readonly string[];
  /** The names of the types and classes that it exports. */
  readonly types: readonly string[];
  readonly declarations: readonly Declaration[];
}

/** An exported declaration. */
interface Declaration {
  readonly name: string;
  /** What a user's editor shows: no comments, no bodies of functions, no private members. */
  readonly surface: string;
}

/** Every source file of core but its doors. */
export async function readModules(): Promise<readonly Module[]> {
  const entries = await readdir(SOURCE, { recursive: true });
  const paths = entries.filter((path) => path.endsWith(".ts") && !path.startsWith("index"));
  return Promise.all(paths.toSorted().map(readModule));
}

async function readModule(path: string): Promise<Module> {
  const text = (await readFile(join(SOURCE, path), "utf8")).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
  const imports = [...text.matchAll(/^(?:import|\} from|export)[^"]*"(\.[^"]+)";/gm)].map(
    ([, to = ""]) => relative(SOURCE, join(SOURCE, dirname(path), to)),
  );
  const pieces = text.split(/\n(?=\S)/).filter((piece) => piece.startsWith("export "));
  const declarations = pieces.flatMap((piece) => {
    const [, kind = "", name = ""] =
      /^export (?:async )?(function\*?|class|const|interface|type) (\w+)/.exec(piece) ?? [];
    return name === "" ? [] : [{ name, kind, surface: surfaceOf(kind, piece) }];
  });
  return {
    path,
    room: path.includes("/") ? dirname(path) : path,
    imports,
    types: declarations
      .filter(({ kind }) => /interface|type|class/.test(kind))
      .map(({ name }) => name),
    declarations,
  };
}

function surfaceOf(kind: string, piece: string): string {
  const text = piece.replaceAll(/"[^"]*"|`[^`]*`/g, "");
  if (kind.startsWith("function")) return text.slice(0, text.indexOf(" {\n"));
  if (kind === "const") return text.slice(0, text.indexOf(" ="));
  if (kind === "class") return text.replaceAll(/^ {4,}.*$|^ {2}(?:#|private).*$/gm, "");
  return text;
}
