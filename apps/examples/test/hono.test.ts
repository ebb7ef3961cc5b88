import { it } from "vitest";
import { describeRecipe } from "./describe-recipe.ts";
import { endsAtSignOut } from "./ends-at-sign-out.ts";
import { exitsThoughIdle } from "./exits-though-idle.ts";
import { startRecipe } from "./start-recipe.ts";
import { reportsItsErrors } from "./reports-its-errors.ts";

describeRecipe({
  name: "Hono",
  packages: ["hono", "@hono/node-server", "node"],
  start: () => startRecipe("hono.mjs"),
  header: ["x-frame-options", "SAMEORIGIN"],
  ofThisHost: [],
});

it("W26: a stream ends when its user signs out", () => endsAtSignOut("hono.mjs"));

it("W3, W24: an error in its authentication is reported to its developer only", () =>
  reportsItsErrors("hono.mjs"));

it("W27: after SIGTERM the recipe exits even if clients keep their connections", () =>
  exitsThoughIdle("hono.mjs"));
