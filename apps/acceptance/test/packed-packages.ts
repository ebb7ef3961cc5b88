import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");

/** Tarballs by package name, as a `package.json` outside the workspace lists them. */
export type Tarballs = Readonly<Record<string, string>>;

/**
 * Builds the workspace, and packs packages of it.
 * @param paths their folders, such as `packages/core`
 * @param folder where the tarballs are put
 */
export async function packPackages(paths: readonly string[], folder: string): Promise<Tarballs> {
  await run("pnpm", ["run", "build"], { cwd: root });
  const packed = await Promise.all(
    paths.map(async (path) => {
      const file = join(folder, `${basename(path)}.tgz`);
      await run("pnpm", ["pack", "--out", file], { cwd: join(root, path) });
      const name = path === "apps/cli" ? "run-events" : `@tm/run-events-${basename(path)}`;
      return [name, `file:${file}`] as const;
    }),
  );
  return Object.fromEntries(packed);
}

/**
 * Installs packages and a Node in a folder, with npm and nothing else.
 * @param dependencies packages besides the Node
 * @param version of Node, such as `22`
 * @returns the path of that Node's program
 * @throws Error if another version of Node was installed
 */
export async function installWithNode(
  project: string,
  dependencies: Tarballs,
  version: string,
): Promise<string> {
  const all = { ...dependencies, node: `^${version}.0.0` };
  await writeFile(
    join(project, "package.json"),
    JSON.stringify({ private: true, dependencies: all }),
  );
  await run("npm", ["install", "--no-audit", "--no-fund"], { cwd: project });
  const node = join(project, "node_modules/node/bin/node");
  const { stdout } = await run(node, ["--version"]);
  if (stdout.startsWith(`v${version}.`)) return node;
  throw new Error(`Expected Node ${version} in ${project}, got ${stdout.trim()}.`);
}
