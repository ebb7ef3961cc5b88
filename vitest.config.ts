import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProjectInlineConfiguration, ViteUserConfig } from "vitest/config";
import { hangGuard } from "./packages/test-servers/src/hang-guard.ts";
import { scratchFolder } from "./packages/test-servers/src/scratch-folder.ts";
import { findTestFiles } from "./packages/test-servers/src/test-files.ts";
import { ALONE } from "./packages/test-servers/src/tier-files.ts";
import { parseTier } from "./packages/test-servers/src/tier.ts";

const tier = parseTier(process.env.TEST_TIER);
const files = findTestFiles();

/** Files that start no server. They share the processes of their workers: most take less time than a process does to start. */
const fast: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "fast",
    include: [...files.fast],
    isolate: false,
    // Here the functions of test-servers refuse to start anything.
    env: { TEST_TIER: "fast" },
  },
};

/** Files that start servers. */
function serversProject(
  name: string,
  include: readonly string[],
  isolate: boolean,
): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [...include],
      isolate,
      globalSetup: ["packages/test-servers/src/require-servers.ts"],
      // A test that starts what a larger tier has is refused.
      env: { TEST_TIER: tier },
    },
  };
}

const main = serversProject(
  "main",
  files.main.filter((file) => !ALONE.includes(file)),
  false,
);
const alone = serversProject(
  "alone",
  [...ALONE, ...(tier === "nightly" ? files.nightly : [])],
  true,
);

const config: ViteUserConfig = {
  ssr: {
    // Workspace imports resolve to source, so tests need no build; the rest are Vite's own defaults.
    resolve: { conditions: ["@tm/source", "module", "node", "development|production"] },
  },
  plugins: [hangGuard()],
  test: {
    projects: tier === "fast" ? [fast] : [fast, main, alone],
    provide: {
      tier,
      mainProfile: tier === "nightly" ? "soak" : "quick",
      soakMs: 10_000,
    },
    env: {
      // Tests start hundreds of Node processes of the same sources. With the cache each finds them compiled.
      NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"),
      TMPDIR: scratchFolder(),
    },
    pool: "forks",
    // Most tests wait for servers and deadlines: two cores have time for three files.
    maxWorkers: Math.max(tier === "fast" ? 2 : 3, availableParallelism() - 1),
    // These bound a hang, not the speed of the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 50_000 } },
  },
};

export default config;
