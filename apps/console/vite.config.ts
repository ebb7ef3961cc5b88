import type { UserConfig } from "vite";

const config: UserConfig = {
  // The client's source, so that nothing has to be built first.
  resolve: { conditions: ["@tm/source", "module", "browser", "development|production"] },
  build: {
    target: ["chrome125", "firefox126", "safari17.5"],
    // The page's policy allows only files of its own origin, and no `data:` inside them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `pnpm dev` serves this folder's page, and passes calls on to a running server.
  server: { proxy: { "/v1": "http://127.0.0.1:8080" } },
};

export default config;
