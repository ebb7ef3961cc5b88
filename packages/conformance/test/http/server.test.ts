import { runHttpConformance } from "@tm/run-events-conformance/http";
import { afterAll, describe, it } from "vitest";
import { startServer } from "./start-server.ts";

describe("our server", async () => {
  const server = await startServer();
  afterAll(() => server.close());
  const cases = runHttpConformance({
    name: "ours",
    baseUrl: server.url,
    tokens: ["ada", "bob"],
    cookieFor: (token) => `session=${token}`,
  });
  for (const { name, run } of cases) it(name, run, 60_000);
});
