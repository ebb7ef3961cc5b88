import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { ADA } from "../../server/test/start-server.ts";
import { openConsole, PATIENT, useBrowser, useSharedServer } from "./open-console.ts";
import { append, many, phase, recordRun } from "./record-run.ts";

/** The element with the focus: its id, else its label, else its text. */
function focus(page: Page): Promise<string | null | undefined> {
  return page.evaluate(() => {
    const { activeElement: at } = document;
    return at?.id || (at?.getAttribute("aria-label") ?? at?.textContent);
  });
}

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** Waits until the field exists and has the focus. */
async function signIn(page: Page): Promise<void> {
  await page.getByLabel("Token").waitFor();
  await page.keyboard.type(ADA);
  await press(page, "Enter");
}

useBrowser();
useSharedServer();

it("the keyboard alone signs in, opens a run, moves, unfolds, filters, jumps, follows, cancels and signs out", async () => {
  const { url, page } = await openConsole();
  await recordRun(url, "other");
  await recordRun(url, "r", [...many("LOG", 100), ...many("TOOL", 1)], { title: "The run" });
  await signIn(page);
  await page.getByRole("link", { name: "The run" }).waitFor();

  await press(page, "j");
  expect(await focus(page)).toContain("The run");
  await press(page, "j");
  expect(await focus(page)).toContain("other");
  await press(page, "k", "Enter");
  await page.locator("#event-101").waitFor();

  // It begins at the newest event, which is the last visible row.
  await press(page, "Escape", "Tab");
  await press(page, "r");
  expect(await focus(page)).toContain("The run");
  await page.locator(".line[tabindex='0']").focus();
  await press(page, "End", "k", "ArrowUp", "j");
  expect(await focus(page)).toBe("event-100");
  await press(page, "Enter");
  await page.getByLabel("Payload of event 100").waitFor();
  await press(page, "Enter");
  expect(await page.getByLabel("Payload of event 100").count()).toBe(0);
  await press(page, "Home");
  await expect.poll(() => focus(page), PATIENT).toBe("event-1");

  await press(page, "/");
  expect(await focus(page)).toBe("Filter by type");
  await page.keyboard.type("tool");
  await expect.poll(() => page.locator(".sequence").allInnerTexts(), PATIENT).toEqual(["101"]);
  await press(page, "Enter");
  await expect.poll(() => focus(page), PATIENT).toBe("event-101");
  await press(page, "/", "Escape");
  await expect.poll(() => page.locator(".line").count(), PATIENT).toBeGreaterThan(1);

  await press(page, "g");
  expect(await focus(page)).toBe("Go to sequence");
  await page.keyboard.type("7");
  await press(page, "Enter");
  await expect.poll(() => focus(page), PATIENT).toBe("event-7");

  await press(page, "f");
  await append(url, "r", many("LOG", 5));
  await page.locator("#event-106").waitFor();

  await press(page, "?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await press(page, "Escape");
  expect(await page.getByRole("dialog").count()).toBe(0);

  await page.getByRole("button", { name: "Cancel run" }).focus();
  await press(page, "Enter");
  expect(await focus(page)).toBe("Keep it running");
  await press(page, "Tab", "Enter");
  await expect.poll(() => page.getByRole("status").textContent(), PATIENT).toBe("cancelled");

  await page.getByRole("button", { name: "Sign out" }).focus();
  await press(page, "Enter");
  await page.getByLabel("Token").waitFor();
});

it("the keyboard alone reaches everything with Tab, and a long list in one step", async () => {
  const { url, page } = await openConsole();
  await recordRun(url, "r", [phase("one"), phase("two"), phase("three"), ...many("LOG", 997)]);
  await signIn(page);
  await page.getByRole("link", { name: /^r / }).click();
  await page.locator("#event-1000").waitFor();
  const seen: string[] = [];
  await page.getByRole("link", { name: /^r / }).focus();
  for (let step = 0; step < 8; step += 1) {
    await press(page, "Tab");
    seen.push((await focus(page)) ?? "");
  }
  expect(seen.slice(0, 6)).toEqual([
    "Cancel run",
    expect.stringMatching(/^three/),
    "Filter by type",
    "Go to sequence",
    "Follow",
    "All",
  ]);
  expect(seen[6]).toMatch(/^event-\d+$/);
  expect(seen[7]).not.toMatch(/^event-/);
});

it("the keyboard alone moves along phases and types with the arrows, and back to where it was", async () => {
  const { url, page } = await openConsole();
  await recordRun(url, "r", [phase("one"), phase("two"), phase("three"), ...many("LOG", 1)]);
  await signIn(page);
  await page.getByRole("link", { name: /^r / }).click();
  await page.locator("#event-4").waitFor();
  await page.getByRole("list", { name: "Phases" }).getByRole("button").last().focus();
  await press(page, "ArrowLeft");
  expect(await focus(page)).toMatch(/^two/);
  await press(page, "Home");
  expect(await focus(page)).toMatch(/^one/);
  await press(page, "Tab", "Shift+Tab");
  expect(await focus(page)).toMatch(/^one/);
  await press(page, "End", "ArrowRight");
  expect(await focus(page)).toMatch(/^three/);
  await page.getByRole("button", { name: "All", exact: true }).focus();
  await press(page, "ArrowRight");
  expect(await focus(page)).toBe("PHASE_STARTED 3");
});

it("with the keyboard alone, focus is within the opened run, and on its heading after a cancel", async () => {
  const { url, page } = await openConsole();
  await recordRun(url, "r", many("LOG", 3), { title: "The run" });
  await recordRun(url, "other", many("LOG", 3), { title: "The other" });
  await signIn(page);
  await page.getByRole("link", { name: "The run" }).focus();
  await press(page, "Enter");
  await expect.poll(() => focus(page), PATIENT).toBe("The run");
  await press(page, "Tab", "Enter");
  expect(await focus(page)).toBe("Keep it running");
  await press(page, "Enter");
  expect(await focus(page)).toBe("Cancel run");
  await press(page, "Enter", "Tab", "Enter");
  await expect.poll(() => page.getByRole("status").textContent(), PATIENT).toBe("cancelled");
  await expect.poll(() => focus(page), PATIENT).toBe("The run");

  // The same holds if another program ends the run while the dialog is open.
  await press(page, "Escape", "k", "Enter");
  await page.getByRole("heading", { name: "The other" }).waitFor();
  await press(page, "Tab", "Enter");
  await page.getByRole("dialog").waitFor();
  await append(url, "other", [{ eventType: "RUN_COMPLETED" }]);
  await expect.poll(() => focus(page), PATIENT).toBe("The other");
});

it("with the keyboard alone, focus is on the run's heading even if the run's end comes before the answer to its cancel", async () => {
  const { url, page } = await openConsole();
  await recordRun(url, "r", many("LOG", 3), { title: "The run" });
  await signIn(page);
  await page.getByRole("link", { name: "The run" }).focus();
  await press(page, "Enter");
  await expect.poll(() => focus(page), PATIENT).toBe("The run");
  const asked = Promise.withResolvers<void>();
  await page.route(
    ({ pathname }) => pathname.endsWith("/cancel"),
    () => asked.resolve(),
  );
  await press(page, "Tab", "Enter", "Tab", "Enter");
  await asked.promise;
  // A disabled button loses the focus to the page.
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.tagName), PATIENT)
    .toBe("BODY");
  await append(url, "r", [{ eventType: "RUN_COMPLETED" }]);
  await expect.poll(() => focus(page), PATIENT).toBe("The run");
});

it("with the keyboard alone, focus returns from a run to the list, even in a narrow page, and moves to newly loaded runs", async () => {
  const { url, page } = await openConsole({}, { width: 390 });
  const ended = [{ eventType: "RUN_CANCELLED" }];
  for (let index = 0; index < 60; index += 1) await recordRun(url, `run-${index}`, ended);
  await signIn(page);
  await page.getByRole("button", { name: "Load more" }).focus();
  await press(page, "Enter");
  await expect.poll(() => focus(page), PATIENT).toMatch(/^run-9/);
  for (const back of ["r", "Escape"]) {
    await press(page, "Enter");
    await expect.poll(() => focus(page), PATIENT).toBe("run-9");
    await press(page, back);
    await expect.poll(() => focus(page), PATIENT).toMatch(/^run-9./);
  }
});

it("the keyboard alone scrolls a payload with the arrows, and reaches the events even if a filter changes nothing", async () => {
  const { url, page } = await openConsole();
  const payload = Array.from({ length: 100 }, (_, index) => index);
  await recordRun(url, "r", [{ eventType: "LOG", payload }, { eventType: "RUN_COMPLETED" }]);
  await signIn(page);
  await page.getByRole("link", { name: /^r / }).click();
  await page.locator("#event-1").click();
  await press(page, "Tab", "ArrowDown");
  expect(await focus(page)).toBe("Payload of event 1");
  const box = page.getByLabel("Payload of event 1");
  await expect.poll(() => box.evaluate((pre) => pre.scrollTop), PATIENT).toBeGreaterThan(0);
  await press(page, "j");
  expect(await focus(page)).toBe("event-1");
  await press(page, "/", "Enter");
  expect(await focus(page)).toBe("event-1");
});

it("a key pressed with Ctrl is left to the browser, and one typed into a field to the field", async () => {
  const { url, page } = await openConsole();
  await recordRun(url, "r", many("LOG", 3));
  await signIn(page);
  await page.getByRole("link", { name: /^r / }).click();
  await page.locator("#event-3").waitFor();
  await page.getByLabel("Filter by type").fill("");
  await page.keyboard.type("f/jg?");
  expect(await page.getByLabel("Filter by type").inputValue()).toBe("f/jg?");
  await press(page, "Escape", "Control+f");
  const follow = page.getByRole("button", { name: "Follow" });
  expect(await follow.getAttribute("aria-pressed")).toBe("false");
});
