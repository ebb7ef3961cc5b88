import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { findNginxModule, findProgram } from "./find-program.ts";
import { NCHAN_MODULE, SYSTEM_PROGRAMS, type SystemProgram } from "./system-programs.ts";
import { includesTier, parseTier, type Tier } from "./tier.ts";

// While this script says no, a package that is installed does not start its service.
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const POLICY = "#!/bin/sh\nexit 101\n";

const run = promisify(execFile);

/**
 * Runs before the tests that start servers, and checks that the programs of their tier are installed. As root on Debian or Ubuntu it
 * installs what is missing.
 *
 * @throws Error with one line for each missing program, which says how to install it
 */
export async function setup(): Promise<void> {
  const needed = programsOf(parseTier(process.env["TEST_TIER"]));
  const missing = needed.filter(isMissing);
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && findProgram("apt-get") !== null)
    await install(missing.map(({ aptPackage }) => aptPackage));
  const stillMissing = missing.filter(isMissing);
  if (stillMissing.length > 0) throw new Error(stillMissing.map(explain).join("\n"));
}

/** The programs that the tests of a tier need. */
export function programsOf(tier: Tier): readonly SystemProgram[] {
  return SYSTEM_PROGRAMS.filter((program) => includesTier(tier, program.tier));
}

function isMissing({ names, brewFormula }: SystemProgram): boolean {
  if (process.platform === "darwin" && brewFormula === null) return false;
  const find = (name: string): string | null =>
    name === NCHAN_MODULE ? findNginxModule(name) : findProgram(name);
  return names.every((name) => find(name) === null);
}

function explain({ names, aptPackage, brewFormula }: SystemProgram): string {
  const command =
    process.platform === "darwin"
      ? `brew install ${brewFormula ?? ""}`
      : `sudo apt-get install -y ${aptPackage}`;
  return `The tests need ${names.join(" or ")}: ${command}`;
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
    // Another run may be installing them.
    await run("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
      env,
      maxBuffer: Infinity,
    });
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { readonly stdout?: string; stderr?: string };
    throw new Error(`apt-get ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause });
  }
}
