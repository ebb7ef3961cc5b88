import { expect, it } from "vitest";
import { describeRecipe } from "./describe-recipe.ts";
import { endsAtSignOut } from "./ends-at-sign-out.ts";
import { goesThoughIdle } from "./goes-though-idle.ts";
import { startEdited } from "./start-edited.ts";
import { startRecipe } from "./start-recipe.ts";
import { tellsItsErrors } from "./tells-its-errors.ts";

describeRecipe("Express", {
  start: () => startRecipe("express.mjs"),
  header: ["x-frame-options", "SAMEORIGIN"],
  compressesPages: true,
  exitCode: 0,
  ofThisHost: [],
});

it("W9: with the body parser before the handler a body is refused, and makes no run", async () => {
  const { call } = await startEdited("express.mjs", [
    ["app.use(helmet(),", "app.use(express.json(), helmet(),"],
  ]);
  const { status, headers } = await call("POST", "/v1/agent-runs", { body: { runId: "mine" } });
  expect([status, headers.get("location")]).toEqual([500, null]);
  expect((await call("GET", "/v1/agent-runs/mine")).status).toBe(404);
});

it("W21: it is the stream's own `no-transform` that keeps compression away from it", async () => {
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

it("W26: a stream ends when its user signs out", () => endsAtSignOut("express.mjs"));

it("W3, W24: what fails in its authentication is said to its developer, and to nobody else", () =>
  tellsItsErrors("express.mjs"));

it("W27: at SIGTERM it goes though connections are kept", () => goesThoughIdle("express.mjs"));
