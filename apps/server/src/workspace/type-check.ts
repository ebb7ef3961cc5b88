import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Type-checks the workspace, project by project, with all that the compiler prints. A server records this at its start.
 * A `::group::` line opens each project, and becomes a phase of the run. Exits 1 if any project has an error.
 */
const root = join(import.meta.dirname, "../../../..");
const tsc = join(root, "node_modules/.bin/tsc");

const projects = ["packages", "apps"]
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((project) => existsSync(join(root, project, "tsconfig.json")));

let failed = 0;
for (const project of [...projects, "."]) {
  console.log(`::group::${project === "." ? "workspace" : project}`);
  const flags = ["--noEmit", "--pretty", "false", "--listFiles", "--extendedDiagnostics"];
  const { status } = spawnSync(tsc, ["-p", project, ...flags], { cwd: root, stdio: "inherit" });
  if (status !== 0) failed += 1;
}
console.log(`${projects.length + 1 - failed} projects have no error, ${failed} have errors`);
process.exitCode = failed === 0 ? 0 : 1;
