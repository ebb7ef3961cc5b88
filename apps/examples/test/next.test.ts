import { afterAll, beforeAll } from "vitest";
import { describeRecipe } from "./describe-recipe.ts";
import { buildNextApp, type NextApp } from "./next-app.ts";

/** Bounds a hang of the build. */
const BUILD_MS = 240_000;

let app: NextApp;
beforeAll(async () => void (app = await buildNextApp()), BUILD_MS);
afterAll(() => app.remove());

describeRecipe("Next.js", {
  start: () => app.start(),
  header: ["vary", "next-router-state-tree"],
  compressesPages: true,
  exitCode: 143,
  ofThisHost: ["a broken escape in the path is 400, and one of a sign that no id has is 404"],
});
