import { defineConfig } from "nitro";

// oxlint-disable-next-line import/no-default-export -- Nitro takes its configuration from there
export default defineConfig({ serverDir: "./", preset: "node-server" });
