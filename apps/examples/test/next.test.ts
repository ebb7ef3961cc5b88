import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { createClient } from "./client.ts";
import { describeRecipe } from "./describe-recipe.ts";
import { buildNextApp, type NextApp } from "./next-app.ts";

/** Bounds a hang of the build. */
const BUILD_MS = 240_000;

let app: NextApp;
beforeAll(async () => void (app = await buildNextApp()), BUILD_MS);
afterAll(() => app.remove());

describeRecipe({
  name: "Next.js",
  packages: ["next", "node"],
  start: () => app.start(),
  header: ["vary", "next-router-state-tree"],
  exitCode: 143,
  own: { "broken escape": "its own 400" },
});

it("W12: behind a proxy of Next.js lines arrive only with the last one", async () => {
  const { url, end } = await app.start();
  onTestFinished(async () => void (await end("SIGKILL")));
  const { call, createRun, upload } = createClient(() => url);
  const path = await createRun();
  const behind = upload(`/behind-proxy${path}`);
  behind.write('{"eventType":"BEHIND"}\n');
  // It begins later, and arrives before.
  const second = upload(path);
  second.write('{"eventType":"SECOND"}\n');
  const polled = await call("GET", `${path}/events?wait=30`);
  expect(await polled.json()).toMatchObject({ events: [{ eventType: "SECOND" }] });
  for (const lines of [second, behind]) {
    lines.end();
    await lines.answer;
  }
  const page = await call("GET", `${path}/events`);
  expect(await page.json()).toMatchObject({ events: [{}, { eventType: "BEHIND" }] });
});

it("the hook's component builds with server components, and renders on the server without data", async () => {
  const { url, end } = await app.start();
  onTestFinished(async () => void (await end("SIGKILL")));
  const page = await fetch(`${url}/runs/r`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain(
    "<section><p>(connecting)</p><ol></ol><button>Cancel</button></section>",
  );
});
