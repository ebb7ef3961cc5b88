import { expect, it } from "vitest";
import { startServer } from "../../server/test/start-server.ts";
import { linesOf, readEvents } from "./recorded-run.ts";
import { runCli, runIdIn } from "./start-cli.ts";

const LINES = Array.from({ length: 1_000 }, (_, index) => `${index + 1}`);

it.each([
  ["few events", { MAX_BATCH_EVENTS: "7" }],
  ["little text", { MAX_BODY_BYTES: "1000", MAX_PAYLOAD_BYTES: "500" }],
])("W9: a server that takes %s at a time gets every line, once and in order", async (_, env) => {
  const { url } = await startServer(env);
  const { exitCode, stderr } = await runCli(url, ["exec", "--", "seq", "1", "1000"]);
  expect(exitCode, stderr).toBe(0);
  const events = await readEvents(url, runIdIn(stderr));
  expect(linesOf(events, "STDOUT")).toEqual(LINES);
  expect(events.at(-1)?.eventType).toBe("RUN_COMPLETED");
});

it("W9: exec records the events before one that is too large", async () => {
  const { url } = await startServer({ MAX_PAYLOAD_BYTES: "200" });
  const script = "seq 1 100; printf '%0999d\\n' 0; seq 101 200";
  const { exitCode, stderr } = await runCli(url, ["exec", "--", "sh", "-c", script]);
  expect(exitCode, stderr).toBe(125);
  expect(stderr).toContain("no longer recording");
  const events = await readEvents(url, runIdIn(stderr));
  expect(linesOf(events, "STDOUT")).toEqual(LINES.slice(0, 100));
});
