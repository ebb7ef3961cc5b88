import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { makeTempFolder } from "../../server/test/start-server.ts";
import { openSignedIn, PATIENT, useBrowser } from "./open-console.ts";
import { append, many, phase, recordRun } from "./record-run.ts";

/** More levels than a browser's JSON and copies support. A server refuses such an event, but may have old ones. */
const DEPTH = 6_000;
const DEEP = "[".repeat(DEPTH) + "]".repeat(DEPTH);

describe("runs that try to break the page", () => {
  useBrowser();

  it("W1: an event of 6,000 levels is unfolded as far as possible, and the page stays live, even in a second tab", async () => {
    const file = join(await makeTempFolder(), "runs.db");
    const { url, page } = await openSignedIn({ STORE_URL: `sqlite:${file}` });
    await recordRun(url, "r", many("LOG", 3), { title: "deep" });
    const db = new DatabaseSync(file);
    db.exec(`UPDATE run_events_events SET payload = '${DEEP}' WHERE sequence = 2`);
    db.exec(`UPDATE run_events_runs SET metadata = '{"title":${DEEP},"name":"deep"}'`);
    db.close();
    const second = await page.context().newPage();
    for (const tab of [page, second]) {
      await tab.goto(`${url}/#/runs/r`);
      await tab.getByRole("heading", { name: "deep" }).waitFor();
      await tab.locator("#event-3").waitFor();
    }
    await page.locator("#event-2").click();
    const box = page.getByLabel("Payload of event 2");
    expect(await box.textContent()).toMatch(/^\[\n {2}\[\n {4}\[/);
    await page.getByText("This payload is too deep or too long for this page").waitFor();
    await append(url, "r", [{ eventType: "RUN_COMPLETED" }]);
    for (const tab of [page, second]) {
      await expect.poll(() => tab.getByRole("status").textContent(), PATIENT).toMatch(/^completed/);
      expect(await tab.locator("#event-4").count()).toBe(1);
    }
  });

  it("characters that reverse text are escaped in the list, the heading, the dialog, the page's title and the phases", async () => {
    const { url, page } = await openSignedIn();
    const title = "keep \u202Enur siht";
    const shown = "keep \\u202enur siht";
    await recordRun(url, "r", [phase("one\u2067two")], { title });
    await page.getByRole("navigation").getByText(shown).waitFor();
    await page.getByRole("navigation").getByText("one\\u2067two").waitFor();
    await page.goto(`${url}/#/runs/r`);
    await page.getByRole("heading", { name: shown }).waitFor();
    await expect.poll(() => page.title(), PATIENT).toBe(`${shown} · run-events`);
    await page.getByRole("list", { name: "Phases" }).getByText("one\\u2067two").waitFor();
    await page.getByRole("button", { name: "Cancel run" }).click();
    await page.getByRole("dialog").getByText(shown).waitFor();
    const text = await page.locator("body").innerText();
    expect(text).not.toMatch(/[\u202E\u2067]/);
  });

  it("answers and titles that look alike, or look empty, show what differs", async () => {
    const { url, page } = await openSignedIn();
    const options = ["Deny", "Den\u200By", "Deny\u00AD", "\u2060Deny", " Deny"];
    const payload = { question: "Send it?\u200B", options };
    await recordRun(url, "r", [{ eventType: "INPUT_REQUESTED", payload }], {
      title: "Nightly\u200B backup",
    });
    await recordRun(url, "s", many("LOG", 1), { title: "\u3164\u115F\u2800" });
    const list = page.getByRole("navigation");
    await list.getByText("Nightly\\u200b backup").waitFor();
    await list.getByText("\\u3164\\u115f\\u2800").waitFor();
    await page.goto(`${url}/#/runs/r`);
    const form = page.getByRole("form", { name: "Send it?\\u200b" });
    await form.waitFor();
    expect(await form.getByRole("button").allInnerTexts()).toEqual([
      '"Deny"',
      '"Den\\u200by"',
      '"Deny\\u00ad"',
      '"\\u2060Deny"',
      '" Deny"',
    ]);
  });

  it.each([1_280, 390])(
    "a run whose screen cannot be drawn leaves the rest of the page, %i pixels wide, and a way back",
    async (width) => {
      const maySay = /Invalid time value/;
      const { url, page } = await openSignedIn({}, { width, maySay });
      await recordRun(url, "r", many("LOG", 3));
      await recordRun(url, "other", many("LOG", 3));
      // Another server may answer like this.
      await page.route("**/v1/agent-runs/r", async (route) => {
        const answer = await route.fetch();
        await route.fulfill({
          response: answer,
          json: { ...(await answer.json()), createdAt: "?" },
        });
      });
      await page.goto(`${url}/#/runs/r`);
      await page.getByRole("alert").getByText("The console cannot show this run").waitFor();
      await page.getByRole("link", { name: "Back to the runs" }).click();
      await page.getByRole("link", { name: /^other / }).click();
      await page.getByRole("heading", { name: "other" }).waitFor();
      await page.locator("#event-3").waitFor();
    },
  );
});
