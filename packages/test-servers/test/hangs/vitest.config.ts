import type { ViteUserConfig } from "vitest/config";
import { hangGuard } from "../../src/hang-guard.ts";

const config: ViteUserConfig = {
  root: import.meta.dirname,
  plugins: [hangGuard(Number(process.env["HANG_LIMIT_MS"]))],
  test: { include: ["*.hang.ts"], pool: "forks" },
};

export default config;
