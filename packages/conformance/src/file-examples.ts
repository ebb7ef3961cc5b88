import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { isInputPath, type SavedExample, type SavedExamples } from "./replay.ts";

/** Saved examples in a file. Both calls are done when they return. */
export interface FileExamples extends SavedExamples {
  readonly load: (caseName: string) => readonly SavedExample[];
  readonly save: (caseName: string, example: SavedExample) => void;
}

/**
 * Keeps inputs that broke a case in a JSON file, by case. They stay until you delete the file: each is run first from then on. A
 * missing file holds no input. If two processes save at the same time, one of them may lose its input.
 *
 * @param file its path, from the working directory
 * @throws Error from `load` and `save`, if the file cannot be read or written, or has another form
 * @example
 * const examples = createFileExamples(".run-events-conformance.json");
 */
export function createFileExamples(file: string): FileExamples {
  return {
    load: (caseName) => readExamples(file).get(caseName) ?? [],
    save(caseName, example) {
      // Nothing is awaited in between, so that cases that fail at once all save theirs.
      const all = readExamples(file);
      const next = Object.fromEntries(all.set(caseName, [...(all.get(caseName) ?? []), example]));
      const part = `${file}.${crypto.randomUUID()}.part`;
      writeFileSync(part, `${JSON.stringify(next, null, 2)}\n`);
      // Renamed at the end, so that no reader gets half a file.
      renameSync(part, file);
    },
  };
}

type ExamplesByCase = Readonly<Record<string, readonly SavedExample[]>>;

function readExamples(file: string): Map<string, readonly SavedExample[]> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Map();
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Expected ${file} to be readable: ${why}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`Expected ${file} to hold JSON. Restore it, or delete it.`, { cause });
  }
  if (!isExamples(value))
    throw new Error(`Expected ${file} to hold saved examples by case. Restore it, or delete it.`);
  return new Map(Object.entries(value));
}

function isExamples(value: unknown): value is ExamplesByCase {
  return (
    isObject(value) &&
    Object.values(value).every((one) => Array.isArray(one) && one.every(isExample))
  );
}

function isExample(value: unknown): value is SavedExample {
  if (!isObject(value)) return false;
  const { seed, path, input } = value;
  return (
    Number.isSafeInteger(seed) &&
    typeof path === "string" &&
    isInputPath(path) &&
    typeof input === "string"
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
