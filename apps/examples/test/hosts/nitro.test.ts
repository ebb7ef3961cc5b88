import { afterAll, beforeAll } from "vitest";
import { describeHost } from "../probe/describe-host.ts";
import { buildNitroApp, type NitroApp } from "../probe/nitro-app.ts";

let app: NitroApp;
beforeAll(async () => void (app = await buildNitroApp()), 60_000);
afterAll(() => app.remove());

describeHost({
  name: "Nitro",
  packages: ["nitro", "node"],
  start: () => app.start(),
  own: { "broken escape": "its own 400" },
});
