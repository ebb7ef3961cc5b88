import { startWorkerd } from "@tm/run-events-test-servers/workerd";
import { bundleWorker } from "../../../../packages/sqlite/test/workerd/bundle-worker.ts";
import type { RecipeProcess } from "../recipe-process.ts";

/** Starts the recipe of a Durable Object in the runtime of Cloudflare Workers. */
export async function startWorker(file: string, className: string): Promise<RecipeProcess> {
  const script = await bundleWorker(new URL(`../../src/hosts/${file}`, import.meta.url));
  const server = await startWorkerd({ script, className });
  return {
    url: server.url,
    stderr: () => "",
    async end(signal) {
      // Its platform has no signal for an object that is moved or updated.
      await (signal === "SIGKILL" ? server.close() : server.kill());
      return null;
    },
  };
}
