import type { UserConfig } from "vite";

const config: UserConfig = {
  // The client's source, so that nothing has to be built first.
  resolve: { conditions: ["@tm/source", "module", "browser", "development|production"] },
  build: {
    target: ["chrome125", "firefox126", "safari17.5"],
    // The page's policy lets in files of its own origin, and nothing that stands in another.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `pnpm dev` beside a server that runs: its answers, this folder's page.
  server: { proxy: { "/v1": "http://127.0.0.1:8080" } },
};

export default config;
