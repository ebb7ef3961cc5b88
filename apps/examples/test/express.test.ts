import { expect, it } from "vitest";
import { describeRecipe } from "./describe-recipe.ts";
import { startEdited } from "./start-edited.ts";
import { testIdleClients, testRecipeFaults } from "./recipe-faults.ts";
import { startRecipe } from "./start-recipe.ts";

describeRecipe({
  name: "Express",
  packages: ["express", "node"],
  start: () => startRecipe("express.mjs"),
  header: ["x-frame-options", "SAMEORIGIN"],
});

it("W9: a body that a parser has read before the handler is refused, and creates no run", async () => {
  const { call } = await startEdited("express.mjs", [
    ["app.use(helmet(),", "app.use(express.json(), helmet(),"],
  ]);
  const { status, headers } = await call("POST", "/v1/agent-runs", { body: { runId: "mine" } });
  expect([status, headers.get("location")]).toEqual([500, null]);
  expect((await call("GET", "/v1/agent-runs/mine")).status).toBe(404);
});

it("W21: the stream's `no-transform` keeps compression away from it", async () => {
  const withoutHeader = `(_request, response, next) => {
    const { writeHead } = response;
    response.writeHead = (status, headers) =>
      writeHead.call(response, status, { ...headers, "cache-control": "no-cache" });
    next();
  }`;
  const { call, createRun, signIn } = await startEdited("express.mjs", [
    ["compression());", `compression(), ${withoutHeader});`],
  ]);
  const path = await createRun();
  await call("POST", `${path}/cancel`);
  const headers = { cookie: await signIn(), "accept-encoding": "gzip" };
  const stream = await call("GET", `${path}/stream`, { headers });
  expect(stream.headers.get("content-encoding")).toBe("gzip");
  expect(await stream.text()).toContain('"run_finished"');
});

testRecipeFaults("express.mjs");
testIdleClients("express.mjs");
