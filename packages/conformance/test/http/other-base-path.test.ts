import { runHttpConformance } from "@tm/run-events-conformance/http";
import { afterAll, describe, it } from "vitest";
import { startServer } from "./start-server.ts";

describe("our server at another base path", async () => {
  const basePath = "/api/runs";
  const server = await startServer({ basePath });
  afterAll(() => server.close());
  const cases = runHttpConformance({
    name: "ours at another path",
    baseUrl: server.url,
    basePath,
    tokens: ["ada", "bob"],
    cookieFor: (token) => `session=${token}`,
    profile: "quick",
  });
  for (const { name, run } of cases) it(name, run, 60_000);
});
