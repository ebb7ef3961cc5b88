import { it } from "vitest";
import { describeRecipe } from "./describe-recipe.ts";
import { endsAtSignOut } from "./ends-at-sign-out.ts";
import { goesThoughIdle } from "./goes-though-idle.ts";
import { startRecipe } from "./start-recipe.ts";
import { tellsItsErrors } from "./tells-its-errors.ts";

describeRecipe("Hono", {
  start: () => startRecipe("hono.mjs"),
  header: ["x-frame-options", "SAMEORIGIN"],
  compressesPages: true,
  exitCode: 0,
  ofThisHost: [],
});

it("W26: a stream ends when its user signs out", () => endsAtSignOut("hono.mjs"));

it("W3, W24: what fails in its authentication is said to its developer, and to nobody else", () =>
  tellsItsErrors("hono.mjs"));

it("W27: at SIGTERM it goes though connections are kept", () => goesThoughIdle("hono.mjs"));
