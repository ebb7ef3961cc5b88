import { it } from "vitest";
import { describeRecipe } from "./describe-recipe.ts";
import { endsAtSignOut } from "./ends-at-sign-out.ts";
import { startRecipe } from "./start-recipe.ts";

describeRecipe("Hono", {
  start: () => startRecipe("hono.mjs"),
  header: ["x-frame-options", "SAMEORIGIN"],
  compressesPages: true,
  exitCode: 0,
  ofThisHost: [],
});

it("W26: a stream ends when its user signs out", () => endsAtSignOut("hono.mjs"));
