import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./open-browser.ts";
import { startSite } from "./site.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** Shortens the hour for which a reader should stay away. */
function hurry(response: ServerResponse): void {
  const write = response.write.bind(response) as (chunk: string | Uint8Array) => boolean;
  response.write = (chunk: string | Uint8Array) =>
    write(Buffer.from(chunk).toString().replaceAll("retry: 3600000", "retry: 50"));
}

it("W24: an EventSource that is not closed asks twice: it gets the run's end, then 204", async () => {
  const site = await startSite({ before: (_, response) => hurry(response) });
  const { runId } = await site.runs.create({ ownerId: "ada" });
  await site.runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
  const context = await browser.open(site.origin);
  try {
    const page = await context.newPage();
    await page.goto(site.origin);
    await page.evaluate(`window.source = new EventSource("/v1/agent-runs/${runId}/stream")`);
    // It never asks again once it is closed.
    await page.waitForFunction("source.readyState === EventSource.CLOSED");
    expect(site.streams).toEqual(["-", "2"]);
  } finally {
    await context.close();
    await site.stop();
  }
});
