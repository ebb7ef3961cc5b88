import { describeRecipe } from "./describe-recipe.ts";
import { testIdleClients, testRecipeFaults } from "./recipe-faults.ts";
import { startRecipe } from "./start-recipe.ts";

describeRecipe({
  name: "Hono",
  packages: ["hono", "@hono/node-server", "node"],
  start: () => startRecipe("hono.mjs"),
  header: ["x-frame-options", "SAMEORIGIN"],
});

testRecipeFaults("hono.mjs");
testIdleClients("hono.mjs");
