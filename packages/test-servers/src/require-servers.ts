import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { findProgram } from "./find-program.ts";

/** A program that the tests start. */
interface Requirement {
  /** Any of these will do. */
  readonly programs: readonly string[];
  readonly aptPackage: string;
  readonly brewFormula: string;
}

const REQUIREMENTS: readonly Requirement[] = [
  { programs: ["redis-server"], aptPackage: "redis-server", brewFormula: "redis" },
  { programs: ["valkey-server"], aptPackage: "valkey-server", brewFormula: "valkey" },
  { programs: ["nginx"], aptPackage: "nginx", brewFormula: "nginx" },
  { programs: ["caddy"], aptPackage: "caddy", brewFormula: "caddy" },
  { programs: ["pgbouncer"], aptPackage: "pgbouncer", brewFormula: "pgbouncer" },
  {
    programs: ["chromium", "chromium-browser", "google-chrome"],
    aptPackage: "chromium",
    brewFormula: "--cask chromium",
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
  return REQUIREMENTS.filter(({ programs }) =>
    programs.every((name) => findProgram(name) === null),
  );
}

function explain({ programs, aptPackage, brewFormula }: Requirement): string {
  const command =
    process.platform === "darwin"
      ? `brew install ${brewFormula}`
      : `sudo apt-get install -y ${aptPackage}`;
  return `The tests need ${programs.join(" or ")}: ${command}`;
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
