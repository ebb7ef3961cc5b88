import { join } from "node:path";
import { type HttpDoors, runHttpConformance } from "@tm/run-events-conformance/http";
import { expect, it } from "vitest";
import { startServer, TOKEN } from "./server-process.ts";
import { makeTempFolder } from "./temp-folder.ts";

/** Runs every case, one after the other, and says what failed. */
async function failuresOf(doors: HttpDoors): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { run } of runHttpConformance({ name: "server", ...doors })) {
    await run().catch((error: Error) => failed.push(error.message));
  }
  return failed;
}

it("the reference server passes every case of the HTTP kit, over loopback", async () => {
  const tokens = [TOKEN, "a-token-of-bob"] as const;
  const { url } = await startServer({
    storeUrl: `sqlite:${join(await makeTempFolder(), "run-events.db")}`,
    env: { API_TOKENS: `ada=${tokens[0]},bob=${tokens[1]}` },
  });
  expect(await failuresOf({ baseUrl: url, tokens })).toEqual([]);
});
