import { describe, expect, it } from "vitest";
import { ADA } from "../../server/test/start-server.ts";
import { openConsole, openSignedIn, PATIENT, signIn, useBrowser } from "./open-console.ts";
import { append, phase, recordRun } from "./record-run.ts";

describe("the list of runs", () => {
  useBrowser();

  it("W14: the list shows the newest run first, by title, with status, phase and progress as they change", async () => {
    const { url, page } = await openSignedIn();
    await recordRun(url, "first", [phase("prepare")], { title: "Plan a trip" });
    await recordRun(url, "second");
    const runs = page.getByRole("list", { name: "Runs" }).getByRole("link");
    await expect
      .poll(() => runs.allInnerTexts(), PATIENT)
      .toEqual([
        expect.stringMatching(/^second\n[^]*queued[^]*0 events/),
        expect.stringMatching(/^Plan a trip\n[^]*running[^]*prepare[^]*1 event\n/),
      ]);
    await append(url, "first", [phase("write"), { eventType: "RUN_FAILED" }]);
    await expect
      .poll(() => runs.last().innerText(), PATIENT)
      .toMatch(/^Plan a trip\n[^]*failed[^]*write[^]*3 events/);
  });

  it("W14: the list shows one status alone, and more than a page when asked", async () => {
    const { url, page } = await openConsole();
    const failed = [{ eventType: "RUN_CANCELLED" }];
    for (let index = 0; index < 60; index += 1)
      await recordRun(url, `run-${index}`, index === 7 ? [{ eventType: "RUN_COMPLETED" }] : failed);
    await signIn(page, ADA);
    const runs = page.getByRole("list", { name: "Runs" }).getByRole("link");
    await expect.poll(() => runs.count(), PATIENT).toBe(50);
    await page.getByRole("button", { name: "Load more" }).click();
    await expect.poll(() => runs.count(), PATIENT).toBe(60);
    await recordRun(url, "newest");
    // The list keeps its runs.
    await expect.poll(() => runs.first().innerText(), PATIENT).toMatch(/^newest/);
    expect(await runs.count()).toBe(61);
    await page.getByLabel("Status").selectOption("completed");
    await expect
      .poll(() => runs.allInnerTexts(), PATIENT)
      .toEqual([expect.stringMatching(/^run-7\n/)]);
    await page.getByLabel("Status").selectOption("failed");
    await page.getByText("You have no failed runs.").waitFor();
  });

  it("W48: the list shows every live run as it changes, however many others are newer", async () => {
    const { url, page } = await openConsole();
    await recordRun(url, "oldest");
    const cancelled = [{ eventType: "RUN_CANCELLED" }];
    for (let index = 0; index < 220; index += 1) await recordRun(url, `run-${index}`, cancelled);
    await signIn(page, ADA);
    const runs = page.getByRole("list", { name: "Runs" }).getByRole("link");
    for (const count of [51, 101, 151, 201]) {
      await expect.poll(() => runs.count(), PATIENT).toBe(count);
      await page.getByRole("button", { name: "Load more" }).click();
    }
    await expect.poll(() => runs.last().innerText(), PATIENT).toMatch(/^oldest\n[^]*queued/);
    await append(url, "oldest", [phase("late"), { eventType: "RUN_COMPLETED" }]);
    await expect
      .poll(() => runs.last().innerText(), PATIENT)
      .toMatch(/^oldest\n[^]*completed[^]*late[^]*2 events/);
    expect(await runs.count()).toBe(221);
  });

  it("each run has its own address, even in a phone's window, and a way back", async () => {
    const { url, page } = await openSignedIn({}, { width: 390 });
    await recordRun(url, "r", [{ eventType: "LOG" }]);
    await page.getByRole("link", { name: /^r / }).click();
    await page.getByRole("heading", { name: "r", exact: true }).waitFor();
    expect(page.url()).toBe(`${url}/#/runs/r`);
    expect(await page.getByRole("navigation").isVisible()).toBe(false);
    await page.reload();
    await page.getByRole("link", { name: "Runs" }).click();
    await page.getByRole("link", { name: /^r / }).waitFor();
    expect(await page.getByRole("heading", { name: "r", exact: true }).count()).toBe(0);
  });
});
