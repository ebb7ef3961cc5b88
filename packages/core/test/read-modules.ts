import { join } from "node:path";
import { readSources, type SourceFile } from "../../test-servers/src/rooms.ts";

const SOURCE = join(import.meta.dirname, "../src");

/** A source file of core, and what it exports. */
export interface Module extends SourceFile {
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
  const files = await readSources(SOURCE, (path) => path.startsWith("index"));
  return files.map((file) => {
    const pieces = file.text.split(/\n(?=\S)/).filter((piece) => piece.startsWith("export "));
    const declarations = pieces.flatMap((piece) => {
      const [, kind = "", name = ""] =
        /^export (?:async )?(function\*?|class|const|interface|type) (\w+)/.exec(piece) ?? [];
      return name === "" ? [] : [{ name, kind, surface: surfaceOf(kind, piece) }];
    });
    const types = declarations
      .filter(({ kind }) => /interface|type|class/.test(kind))
      .map(({ name }) => name);
    return { ...file, types, declarations };
  });
}

function surfaceOf(kind: string, piece: string): string {
  const text = piece.replaceAll(/"[^"]*"|`[^`]*`/g, "");
  if (kind.startsWith("function")) return text.slice(0, text.indexOf(" {\n"));
  if (kind === "const") return text.slice(0, text.indexOf(" ="));
  if (kind === "class") return text.replaceAll(/^ {4,}.*$|^ {2}(?:#|private).*$/gm, "");
  return text;
}
