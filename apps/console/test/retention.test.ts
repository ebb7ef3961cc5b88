import { expect, it } from "vitest";
import { call } from "../../server/test/client.ts";
import { ADA } from "../../server/test/start-server.ts";
import { openSignedIn, useBrowser } from "./open-console.ts";
import { recordRun } from "./record-run.ts";

useBrowser();

it("W14: a finished run shows until when it is kept, and a live run as soon as it finishes", async () => {
  const { url, page } = await openSignedIn({ RETENTION_DAYS: "30" });
  await recordRun(url, "r", [{ eventType: "STEP" }]);
  await page.goto(`${url}/#/runs/r`);
  const facts = page.getByRole("main").locator(".facts");
  await facts.getByText("started").waitFor();
  expect(await facts.textContent()).not.toContain("kept until");

  const ended = await call(`${url}/v1/agent-runs/r/cancel`, ADA, "POST");
  const { finishedAt } = (await ended.json()) as { readonly finishedAt: string };
  const until = facts.getByText("kept until").locator("time");
  await until.waitFor();
  const keptUntil = new Date(Date.parse(finishedAt) + 30 * 86_400_000);
  expect(await until.getAttribute("datetime")).toBe(keptUntil.toISOString());
  const exact = await page.evaluate(
    (iso) =>
      new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }).format(
        new Date(iso),
      ),
    keptUntil.toISOString(),
  );
  expect(await until.getAttribute("title")).toBe(exact);
  const day = `${await until.textContent()}`;
  expect(day.length).toBeLessThan(exact.length);
  expect(exact).toContain(day.split(",", 1)[0]);
});

it("W14: a run that is kept for ever shows no time of removal", async () => {
  const { url, page } = await openSignedIn();
  await recordRun(url, "r", [{ eventType: "RUN_COMPLETED" }]);
  await page.goto(`${url}/#/runs/r`);
  const facts = page.getByRole("main").locator(".facts");
  await facts.getByText("started").waitFor();
  expect(await facts.textContent()).not.toContain("kept until");
});
