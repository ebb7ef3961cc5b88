import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder of the installed package's console, which was built when the package was packed.
 * @throws Error in a clone, which has to build it
 */
export async function findInstalledConsole(): Promise<string> {
  const folder = join(import.meta.dirname, "../console");
  if (existsSync(folder)) return folder;
  throw new Error(
    `expected the built console in ${folder}, which only the packed package has; in a clone of the repository, start with npx -y pnpm@12 start`,
  );
}
