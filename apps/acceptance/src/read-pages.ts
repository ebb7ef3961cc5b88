import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** The folder of the repository. */
export const ROOT: string = join(import.meta.dirname, "../../..");

/** Files that npm always packs, even if `files` does not list them. */
const ALWAYS_PACKED = ["README.md", "LICENSE", "package.json"];

/** The paths of the tracked files that match one of the patterns, from the root. */
export async function listTracked(...patterns: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("git", ["ls-files", ...patterns], { cwd: ROOT });
  return stdout.split("\n").filter((path) => path !== "");
}

/** The tracked pages, without changelogs, which describe the past. */
export async function readPages(): Promise<readonly string[]> {
  return (await listTracked("*.md")).filter((path) => !path.startsWith(".changeset/"));
}

/** The folders of the published packages, each with the files in its tarball. */
export async function readPacked(): Promise<ReadonlyMap<string, readonly string[]>> {
  const packed = new Map<string, readonly string[]>();
  for (const path of await listTracked("*/package.json")) {
    const { private: isPrivate, files } = JSON.parse(await readFile(join(ROOT, path), "utf8")) as {
      readonly private?: boolean;
      readonly files?: readonly string[];
    };
    if (isPrivate === true || files === undefined) continue;
    packed.set(dirname(path), [...files, ...ALWAYS_PACKED]);
  }
  return packed;
}

/** The folder of the package that publishes the file; `null` if none does. */
export function publisherOf(
  path: string,
  packed: ReadonlyMap<string, readonly string[]>,
): string | null {
  for (const [folder, files] of packed) {
    const isIn = (file: string): boolean => {
      const whole = `${folder}/${file}`;
      return path === whole || path.startsWith(`${whole}/`);
    };
    if (files.some(isIn)) return folder;
  }
  return null;
}
