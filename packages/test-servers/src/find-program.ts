import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CHROMIUM_NAMES, SYSTEM_PROGRAMS } from "./system-programs.ts";
import { requireTier } from "./tier.ts";

// Debian keeps nginx and PgBouncer in a folder that is not on the PATH of an ordinary user.
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

// Debian's, and those of nginx's own packages.
const NGINX_MODULE_FOLDERS = ["/usr/lib/nginx/modules", "/usr/share/nginx/modules"];

const POSTGRES_FOLDER = "/usr/lib/postgresql";

/**
 * Where a program is: on the PATH, else in the system's folders.
 *
 * @returns its whole path, or null
 * @throws Error if the tier of this test file does without it
 */
export function findProgram(name: string): string | null {
  const needed = SYSTEM_PROGRAMS.find(({ names }) => names.includes(name));
  if (needed !== undefined) requireTier(needed.tier, name);
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  const path = folders.filter(Boolean).find((folder) => isProgram(join(folder, name)));
  return path === undefined ? null : join(path, name);
}

/**
 * The path of the system's Chromium.
 *
 * @throws Error if it is not installed, or if the tier of this test file does without it
 */
export function findChromium(): string {
  const path = CHROMIUM_NAMES.map(findProgram).find((found) => found !== null);
  if (path == null) throw new Error("Chromium is not installed: apt-get install chromium");
  return path;
}

/** Where a module for nginx is, such as `ngx_nchan_module.so`. @returns its whole path, or null */
export function findNginxModule(file: string): string | null {
  const paths = NGINX_MODULE_FOLDERS.map((folder) => join(folder, file));
  return paths.find((path) => existsSync(path)) ?? null;
}

/**
 * The system's own Postgres, so that a suite can run there too: the newest of Debian's
 * `/usr/lib/postgresql/VERSION/bin`, else that of the PATH.
 *
 * @returns the folder that holds `postgres` and `initdb`, or null
 */
export function findSystemPostgres(): string | null {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  const folders = [...debianPostgresFolders(), ...onPath];
  return (
    folders.find((folder) =>
      ["postgres", "initdb"].every((name) => isProgram(join(folder, name))),
    ) ?? null
  );
}

function debianPostgresFolders(): readonly string[] {
  const versions = statSync(POSTGRES_FOLDER, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(POSTGRES_FOLDER)
    : [];
  return versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(POSTGRES_FOLDER, version, "bin"));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not ours to run: the same for a caller that looks for it.
    return false;
  }
}
