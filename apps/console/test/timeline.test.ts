import type { Locator, Page } from "playwright-core";
import { expect, it } from "vitest";
import { openSignedIn, PATIENT, useBrowser, useSharedServer } from "./open-console.ts";
import { append, many, phase, recordRun } from "./record-run.ts";

function rows(page: Page): Locator {
  return page.getByRole("list", { name: "Events" }).locator(".line");
}

function row(page: Page, sequence: number): Locator {
  return page.locator(`#event-${sequence}`);
}

async function openRun(url: string, page: Page, runId: string): Promise<void> {
  await page.goto(`${url}/#/runs/${runId}`);
  await rows(page).first().waitFor();
}

/** Waits until the run's header shows this. */
async function header(page: Page, text: string): Promise<void> {
  await page.getByRole("main").getByText(text).waitFor();
}

/** The distance of the list from its end, in CSS pixels. */
function toEnd(page: Page): Promise<number> {
  return page
    .locator(".timeline")
    .evaluate(
      ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight,
    );
}

useBrowser();
useSharedServer();

it("a run's timeline shows events, phases and the end as they are appended", async () => {
  const { url, page } = await openSignedIn();
  await recordRun(url, "r", [{ eventType: "RUN_STARTED" }, phase("prepare")]);
  await openRun(url, page, "r");
  await expect.poll(() => page.getByRole("status").textContent(), PATIENT).toBe("running, prepare");
  const phases = page.getByRole("list", { name: "Phases" }).getByRole("button");
  expect(await phases.allInnerTexts()).toEqual([expect.stringMatching(/^prepare/)]);
  await append(url, "r", [phase("write"), { eventType: "STDOUT", payload: { line: "one" } }]);
  await expect.poll(() => row(page, 4).innerText(), PATIENT).toMatch(/^4\s[^]*STDOUT\sone$/);
  await expect
    .poll(() => phases.allInnerTexts(), PATIENT)
    .toEqual([expect.stringMatching(/^prepare/), expect.stringMatching(/^write/)]);
  await append(url, "r", [{ eventType: "RUN_COMPLETED" }]);
  await expect.poll(() => page.getByRole("status").textContent(), PATIENT).toBe("completed, write");
  expect(await page.getByRole("button", { name: "Cancel run" }).count()).toBe(0);
  expect(await page.getByRole("button", { name: "Follow" }).count()).toBe(0);
});

it("a run's timeline unfolds an event to its payload, and folds it again", async () => {
  const { url, page } = await openSignedIn();
  const payload = { tool: "search", hits: [1, 2], note: null };
  await recordRun(url, "r", [...many("LOG", 60), { eventType: "TOOL_CALLED", payload }]);
  await openRun(url, page, "r");
  await row(page, 61).click();
  const box = page.getByLabel("Payload of event 61");
  expect(JSON.parse(await box.innerText())).toEqual(payload);
  // It was the last row of the list, and is still completely visible.
  await expect.poll(() => box.evaluate(isWithinList), PATIENT).toBe(true);
  expect(await row(page, 61).getAttribute("aria-expanded")).toBe("true");
  await row(page, 61).click();
  expect(await box.count()).toBe(0);
});

it("a run's timeline shows the events of chosen types, or of types that contain a text", async () => {
  const { url, page } = await openSignedIn();
  const drafts = [...many("LOG", 3), ...many("TOOL_CALLED", 2), ...many("TOOL_FAILED", 1)];
  await recordRun(url, "r", drafts);
  await openRun(url, page, "r");
  const types = page.getByRole("toolbar", { name: "Types" });
  const sequences = (): Promise<readonly string[]> => page.locator(".sequence").allInnerTexts();
  await types.getByRole("button", { name: "LOG 3" }).click();
  await expect.poll(sequences, PATIENT).toEqual(["1", "2", "3"]);
  await types.getByRole("button", { name: "TOOL_FAILED 1" }).click();
  await expect.poll(sequences, PATIENT).toEqual(["1", "2", "3", "6"]);
  await page.getByText("4 of 6").waitFor();
  await types.getByRole("button", { name: "All", exact: true }).click();
  await page.getByLabel("Filter by type").fill("tool");
  await expect.poll(sequences, PATIENT).toEqual(["4", "5", "6"]);
  await append(url, "r", [...many("LOG", 1), ...many("TOOL_CALLED", 1)]);
  await expect.poll(sequences, PATIENT).toEqual(["4", "5", "6", "8"]);
  await page.getByLabel("Filter by type").fill("no such");
  await page.getByText("No events to show.").waitFor();
});

it("a run's timeline follows the newest until the user scrolls up, and again once the user is back", async () => {
  const { url, page } = await openSignedIn();
  await recordRun(url, "r", many("LOG", 200));
  await openRun(url, page, "r");
  const follow = page.getByRole("button", { name: "Follow" });
  await row(page, 200).waitFor();
  await append(url, "r", many("LOG", 100));
  await row(page, 300).waitFor();
  expect(await toEnd(page)).toBe(0);
  await page.locator(".timeline").hover();
  await page.mouse.wheel(0, -300);
  await expect.poll(() => follow.getAttribute("aria-pressed"), PATIENT).toBe("false");
  await expect.poll(() => toEnd(page), PATIENT).toBe(300);
  await append(url, "r", many("LOG", 100));
  await header(page, "400 events");
  expect(await toEnd(page)).toBe(300 + 100 * 28);
  expect(await follow.textContent()).toBe("Follow · 100 new");
  await page.mouse.wheel(0, 10_000);
  await expect.poll(() => follow.getAttribute("aria-pressed"), PATIENT).toBe("true");
  await append(url, "r", many("LOG", 100));
  await row(page, 500).waitFor();
  expect(await toEnd(page)).toBe(0);
  expect(await follow.textContent()).toBe("Follow");
  await follow.click();
  await append(url, "r", many("LOG", 1));
  await header(page, "501 events");
  expect(await toEnd(page)).toBe(28);
});

it("a run's timeline goes to a sequence, and to where a phase began", async () => {
  const { url, page } = await openSignedIn();
  await recordRun(url, "r", [...many("LOG", 500), phase("later"), ...many("LOG", 500)]);
  await openRun(url, page, "r");
  await page.getByLabel("Go to sequence").fill("40");
  await page.getByLabel("Go to sequence").press("Enter");
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.id), PATIENT)
    .toBe("event-40");
  await expect.poll(() => row(page, 40).evaluate(isWithinList), PATIENT).toBe(true);
  await page.getByRole("button", { name: "later" }).click();
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.id), PATIENT)
    .toBe("event-501");
  await expect.poll(() => row(page, 501).evaluate(isWithinList), PATIENT).toBe(true);
});

it("W6: a run's timeline shows the newest hundred of many phases as a strip, and a button for the others", async () => {
  const { url, page } = await openSignedIn();
  const phases = Array.from({ length: 5_000 }, (_, index) => phase(`p${index + 1}`));
  await recordRun(url, "r", [...many("LOG", 10), ...phases]);
  await openRun(url, page, "r");
  await header(page, "5,010 events");
  const strip = page.getByRole("list", { name: "Phases" }).getByRole("button");
  expect(await strip.count()).toBe(101);
  expect(await strip.last().innerText()).toMatch(/^p5000/);
  await strip.first().click();
  await page.getByText("5,000 of 5,010").waitFor();
});

it("a run's timeline shows a hundred of many types as buttons, and finds others by a part of their names", async () => {
  const { url, page } = await openSignedIn();
  const drafts = Array.from({ length: 500 }, (_, index) => ({ eventType: `TYPE_${index + 1}` }));
  await recordRun(url, "r", drafts);
  await openRun(url, page, "r");
  await page.getByText("and 400 more types").waitFor();
  const types = page.getByRole("toolbar", { name: "Types" }).getByRole("button");
  expect(await types.count()).toBe(101);
  await page.getByLabel("Filter by type").fill("_499");
  await expect.poll(() => types.allInnerTexts(), PATIENT).toEqual(["All", "TYPE_499 1"]);
});

it("a run's timeline shows the beginning of a large payload, and all of it when asked", async () => {
  const { url, page } = await openSignedIn();
  const payload = Array.from({ length: 12_000 }, (_, index) => ({ index }));
  await recordRun(url, "r", [{ eventType: "LARGE", payload }]);
  await openRun(url, page, "r");
  await row(page, 1).click();
  const box = page.getByLabel("Payload of event 1");
  const length = (): Promise<number> => box.evaluate((pre) => pre.textContent.length);
  expect(await length()).toBe(100_000);
  await page.getByRole("button", { name: /^Show all [\d,]+ characters$/ }).click();
  expect(await length()).toBe(JSON.stringify(payload, null, 2).length);
});

it("W6: a run's screen shows why a run has failed, in the run's words", async () => {
  const { url, page } = await openSignedIn();
  const payload = { reason: "The model refused." };
  await recordRun(url, "r", [{ eventType: "RUN_FAILED", payload }]);
  await openRun(url, page, "r");
  await page.getByRole("main").getByText("The model refused.", { exact: true }).waitFor();
});

it("a run's timeline can be read in a low or zoomed window", async () => {
  const { url, page } = await openSignedIn({}, { width: 320 });
  await page.setViewportSize({ width: 320, height: 256 });
  await recordRun(url, "r", [phase("one"), ...many("LOG", 50)]);
  await openRun(url, page, "r");
  await row(page, 51).click();
  await row(page, 51).scrollIntoViewIfNeeded();
  expect(await row(page, 51).evaluate(isWithinWindow)).toBe(true);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
});

it("W13: a run's screen asks before it cancels the run", async () => {
  const { url, page } = await openSignedIn();
  await recordRun(url, "r", [{ eventType: "LOG" }]);
  await openRun(url, page, "r");
  const dialog = page.getByRole("dialog", { name: "Cancel this run?" });
  await page.getByRole("button", { name: "Cancel run" }).click();
  await dialog.getByRole("button", { name: "Keep it running" }).click();
  expect(await dialog.count()).toBe(0);
  expect(await rows(page).count()).toBe(1);
  await page.getByRole("button", { name: "Cancel run" }).click();
  await dialog.getByRole("button", { name: "Cancel run" }).click();
  await expect.poll(() => page.getByRole("status").textContent(), PATIENT).toBe("cancelled");
  await expect.poll(() => row(page, 2).innerText(), PATIENT).toContain("RUN_CANCELLED");
  expect(await dialog.count()).toBe(0);
});

it("W4: a run's screen shows that a run does not exist", async () => {
  const { url, page } = await openSignedIn();
  await page.goto(`${url}/#/runs/nothing`);
  await page.getByText("No run of this owner has this id. Check both.").waitFor();
});

/** Whether an element is completely visible. */
function isWithinWindow(element: Element): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight && bottom > top;
}

/** Whether an element is completely visible within the list, or fills the list. */
function isWithinList(element: Element): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  const list = element.closest(".timeline")?.getBoundingClientRect();
  return list !== undefined && top >= list.top && bottom <= list.bottom + 1;
}
