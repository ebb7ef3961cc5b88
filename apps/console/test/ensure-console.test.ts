import {
  cp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeTempFolder } from "../../server/test/start-server.ts";
import { ensureConsole } from "../build/ensure-console.ts";

const WORKSPACE = join(import.meta.dirname, "../../..");
const CONSOLE = join(WORKSPACE, "apps/console");

/** A workspace with only the console's sources and their installed packages. */
async function copyConsole(): Promise<{ readonly workspace: string; readonly folder: string }> {
  const workspace = await makeTempFolder();
  const folder = join(workspace, "apps/console");
  await mkdir(folder, { recursive: true });
  await cp(join(WORKSPACE, "tsconfig.base.json"), join(workspace, "tsconfig.base.json"));
  for (const name of ["src", "index.html", "package.json", "tsconfig.json", "vite.config.ts"]) {
    await cp(join(CONSOLE, name), join(folder, name), { recursive: true });
  }
  await symlink(join(CONSOLE, "node_modules"), join(folder, "node_modules"));
  return { workspace, folder };
}

/** The files that a page loads. */
function loadedBy(page: string): readonly string[] {
  return [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
}

describe("the console's files", () => {
  it("the console is built once by servers that start together, and again after a source changes", async () => {
    const { workspace, folder } = await copyConsole();
    const [built] = await Promise.all([
      ensureConsole(workspace),
      ensureConsole(workspace),
      ensureConsole(workspace),
    ]);
    expect((await readdir(built)).toSorted()).toEqual(["assets", "index.html"]);
    const page = join(built, "index.html");
    const first = await readFile(page, "utf8");
    const { mtimeMs } = await stat(page);
    await ensureConsole(workspace);
    expect((await stat(page)).mtimeMs).toBe(mtimeMs);

    const title = join(folder, "src/sign-in.tsx");
    await writeFile(title, (await readFile(title, "utf8")).replace("Sign in with", "Enter with"));
    const later = new Date(mtimeMs + 1_000);
    await utimes(title, later, later);
    await ensureConsole(workspace);
    const second = await readFile(page, "utf8");
    expect(loadedBy(second)).not.toEqual(loadedBy(first));
    for (const file of loadedBy(second))
      expect((await stat(join(built, file))).isFile()).toBe(true);
  });

  it("the console is served from an earlier build where its sources do not exist", async () => {
    const { workspace, folder } = await copyConsole();
    const built = await ensureConsole(workspace);
    const page = await readFile(join(built, "index.html"), "utf8");
    for (const name of ["src", "node_modules"]) await rm(join(folder, name), { recursive: true });
    expect(await readFile(join(await ensureConsole(workspace), "index.html"), "utf8")).toBe(page);
  });

  it("a console that cannot be built fails the start with one line", async () => {
    const { workspace, folder } = await copyConsole();
    await rm(join(folder, "src/main.tsx"));
    await expect(ensureConsole(workspace)).rejects.toThrow(/^cannot build the console: /);
    // The unfinished build is removed.
    expect(await readdir(join(folder, "dist"))).toEqual(["assets"]);
    await rm(join(folder, "node_modules"));
    await expect(ensureConsole(workspace)).rejects.toThrow(/^the console is not built.*install$/);
  });
});
