import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { findNginxModule, findProgram } from "./find-program.ts";

/** What the tests start. */
interface Requirement {
  readonly name: string;
  readonly isThere: () => boolean;
  readonly aptPackage: string;
  /** `null` if the tests do without it there. */
  readonly brewFormula: string | null;
}

/** A program: any of these will do. */
function program(
  programs: readonly string[],
  aptPackage: string,
  brewFormula: string,
): Requirement {
  return {
    name: programs.join(" or "),
    isThere: () => programs.some((name) => findProgram(name) !== null),
    aptPackage,
    brewFormula,
  };
}

const REQUIREMENTS: readonly Requirement[] = [
  program(["redis-server"], "redis-server", "redis"),
  program(["valkey-server"], "valkey-server", "valkey"),
  program(["nginx"], "nginx", "nginx"),
  program(["caddy"], "caddy", "caddy"),
  program(["pgbouncer"], "pgbouncer", "pgbouncer"),
  program(["faketime"], "faketime", "libfaketime"),
  program(["chromium", "chromium-browser", "google-chrome"], "chromium", "--cask chromium"),
  {
    name: "nginx's module nchan",
    isThere: () => findNginxModule("ngx_nchan_module.so") !== null,
    aptPackage: "libnginx-mod-nchan",
    brewFormula: null,
  },
];

// While this script says no, a package that is installed does not start its service.
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const POLICY = "#!/bin/sh\nexit 101\n";

const run = promisify(execFile);

/**
 * Runs before all tests: sees to it that the servers which they start are installed. As root on Debian and
 * its kin it installs what is missing.
 *
 * @throws Error with one line for each missing program, which says how to install it
 */
export async function setup(): Promise<void> {
  const missing = findMissing();
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && findProgram("apt-get") !== null)
    await install(missing.map(({ aptPackage }) => aptPackage));
  const stillMissing = findMissing();
  if (stillMissing.length > 0) throw new Error(stillMissing.map(explain).join("\n"));
}

function findMissing(): readonly Requirement[] {
  return REQUIREMENTS.filter(
    ({ isThere, brewFormula }) =>
      !isThere() && (process.platform !== "darwin" || brewFormula !== null),
  );
}

function explain({ name, aptPackage, brewFormula }: Requirement): string {
  const command =
    process.platform === "darwin"
      ? `brew install ${brewFormula ?? ""}`
      : `sudo apt-get install -y ${aptPackage}`;
  return `The tests need ${name}: ${command}`;
}

async function install(packages: readonly string[]): Promise<void> {
  console.log(`The tests need ${packages.join(", ")}: installing with apt-get.`);
  // A system that has a policy of its own keeps it.
  const addsPolicy = !existsSync(POLICY_FILE);
  if (addsPolicy) await writeFile(POLICY_FILE, POLICY, { mode: 0o755 });
  try {
    await aptGet("update");
    await aptGet("install", "-y", "--no-install-recommends", ...packages);
  } finally {
    if (addsPolicy) await rm(POLICY_FILE);
  }
}

/** @throws Error with all that apt-get said, if it fails */
async function aptGet(...args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    // Another run may be at it.
    await run("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
      env,
      maxBuffer: Infinity,
    });
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { readonly stdout?: string; stderr?: string };
    throw new Error(`apt-get ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause });
  }
}
