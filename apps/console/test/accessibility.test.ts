import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ADA } from "../../server/test/start-server.ts";
import { openConsole, PATIENT, signIn, useBrowser } from "./open-console.ts";
import { many, phase, recordRun } from "./record-run.ts";

/** The violations of WCAG 2.2 at A or AA, and of best practices, in the current page. */
async function flaws(page: Page): Promise<readonly string[]> {
  await page.evaluate(`${axe.source}; undefined`);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
  });
}

describe("the accessible page", () => {
  useBrowser();

  it.each([
    ["light", 1_280],
    ["dark", 1_280],
    ["light", 390],
    ["dark", 390],
  ] as const)("has names, roles and contrast: %s at %i pixels", async (colours, width) => {
    const { url, page } = await openConsole({}, { colours, width });
    await page.getByLabel("Token").waitFor();
    expect(await flaws(page)).toEqual([]);
    for (const [runId, end] of [
      ["a", "RUN_COMPLETED"],
      ["b", "RUN_FAILED"],
      ["c", "RUN_CANCELLED"],
    ] as const) {
      await recordRun(url, runId, [phase("one"), { eventType: "STDERR" }, { eventType: end }]);
    }
    await recordRun(url, "queued");
    const payload = { text: "words", count: 2, isTrue: true };
    await recordRun(url, "r", [phase("one"), phase("two"), { eventType: "LOG", payload }]);
    await signIn(page, ADA);
    await page.getByRole("link", { name: /^r / }).waitFor();
    expect(await flaws(page)).toEqual([]);
    for (const runId of ["a", "b", "c", "r"]) {
      await page.goto(`${url}/#/runs/${runId}`);
      await page.locator("#event-3").waitFor();
      await page.locator("#event-3").click();
      expect(await flaws(page)).toEqual([]);
    }
    await page.getByRole("button", { name: "Cancel run" }).click();
    expect(await flaws(page)).toEqual([]);
    for (const [runId, payload] of [
      ["words", { question: "Which one?" }],
      ["choices", { question: "Send it?", kind: "approval" }],
    ] as const) {
      await recordRun(url, runId, [{ eventType: "INPUT_REQUESTED", payload }]);
      await page.goto(`${url}/#/runs/${runId}`);
      await page.getByRole("form", { name: payload.question }).waitFor();
      expect(await flaws(page)).toEqual([]);
    }
    await page.goto(`${url}/#/runs/none`);
    await page.getByRole("link", { name: "What this means" }).waitFor();
    expect(await flaws(page)).toEqual([]);
  });

  it("the page has landmarks, headings and lists, and announces only the status", async () => {
    const { url, page } = await openConsole();
    await recordRun(url, "r", [phase("one"), ...many("LOG", 1)], { title: "The run" });
    await signIn(page, ADA);
    await page.getByRole("link", { name: "The run" }).click();
    await page.locator("#event-2").click();
    await expect.poll(() => page.getByRole("status").textContent(), PATIENT).toBe("running, one");
    const tree = await page.locator("body").ariaSnapshot();
    for (const part of [
      '- banner:\n  - heading "run-events" [level=1]',
      '- navigation "Runs":\n  - heading "Runs" [level=2]',
      '- combobox "Status"',
      '- main "Run The run":\n  - heading "The run" [level=2]',
      '- list "Phases":\n    - listitem:\n      - button /one',
      '- searchbox "Filter by type"',
      '- textbox "Go to sequence"',
      '- toolbar "Types":',
      '- list "Events":',
      '- group "Payload of event 2"',
      "- status: running, one",
    ]) {
      expect(tree).toContain(part.replace("/one", '"one'));
    }
    expect(await page.locator("[aria-live], [role=status], [role=alert]").count()).toBe(1);
  });

  it("the page has the chosen colours, even after a reload", async () => {
    const { page } = await openConsole({}, { colours: "light" });
    const back = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await signIn(page, ADA);
    const theme = page.getByRole("button", { name: /^Theme: / });
    const light = await theme.textContent().then(back);
    await theme.click();
    expect(await theme.textContent()).toBe("Theme: light");
    expect(await back()).toBe(light);
    await theme.click();
    expect(await theme.textContent()).toBe("Theme: dark");
    const dark = await back();
    expect(dark).not.toBe(light);
    await page.reload();
    await expect.poll(() => theme.textContent(), PATIENT).toBe("Theme: dark");
    expect(await back()).toBe(dark);
    await theme.click();
    expect(await back()).toBe(light);
  });
});
