import { definePlugin } from "nitro";
import { handler, runs } from "../lib/run-events.mjs";

// oxlint-disable-next-line import/no-default-export -- Nitro takes a plugin from there
export default definePlugin(({ hooks }) => {
  // Nitro waits up to 5 s for open answers, and then closes.
  process.once("SIGTERM", () => void handler.drain(3_000));
  hooks.hook("close", () => runs.close());
});
