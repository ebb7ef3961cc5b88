import { expect, it } from "vitest";
import { describeRecipe } from "./describe-recipe.ts";
import { startEdited } from "./start-edited.ts";
import { testRecipeFaults } from "./recipe-faults.ts";
import { startRecipe } from "./start-recipe.ts";

describeRecipe({
  name: "Fastify",
  packages: ["fastify", "node"],
  start: () => startRecipe("fastify.mjs"),
  header: ["x-frame-options", "SAMEORIGIN"],
  own: { "broken escape": "its own 400" },
});

it("W9: a body that Fastify's parsers have read is refused, and creates no run", async () => {
  const { call } = await startEdited("fastify.mjs", [["scope.removeAllContentTypeParsers();", ""]]);
  const { status, headers } = await call("POST", "/v1/agent-runs", { body: { runId: "mine" } });
  expect([status, headers.get("location")]).toEqual([500, null]);
  expect((await call("GET", "/v1/agent-runs/mine")).status).toBe(404);
});

testRecipeFaults("fastify.mjs");
