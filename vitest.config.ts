import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { ViteUserConfig } from "vitest/config";
import { parseTier, settingsOf } from "./packages/test-servers/src/tier.ts";

const config: ViteUserConfig = {
  ssr: {
    // Workspace imports resolve to source, so tests need no build; the rest are Vite's own defaults.
    resolve: { conditions: ["@tm/source", "module", "node", "development|production"] },
  },
  test: {
    ...settingsOf(parseTier(process.env.TEST_TIER)),
    // Tests start hundreds of Node processes of the same sources. With the cache each finds them compiled.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") },
    globalSetup: ["packages/test-servers/src/require-servers.ts"],
    pool: "forks",
    // Most tests wait for servers and deadlines: two cores have time for three files.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // These bound a hang, not the speed of the machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 50_000 } },
  },
};

export default config;
