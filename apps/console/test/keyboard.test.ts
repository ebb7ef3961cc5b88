import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ADA } from "../../server/test/start-server.ts";
import { openConsole, PATIENT, useBrowser } from "./open-console.ts";
import { append, many, recordRun } from "./record-run.ts";

/** What has the focus: its id, else its label, else its text. */
function focus(page: Page): Promise<string | null | undefined> {
  return page.evaluate(() => {
    const { activeElement: at } = document;
    return at?.id || (at?.getAttribute("aria-label") ?? at?.textContent);
  });
}

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

/** The field has the focus once it is there. */
async function signIn(page: Page): Promise<void> {
  await page.getByLabel("Token").waitFor();
  await page.keyboard.type(ADA);
  await press(page, "Enter");
}

describe("the keyboard alone", () => {
  useBrowser();

  it("signs in, opens a run, moves, unfolds, filters, jumps, follows, cancels and signs out", async () => {
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

    // It begins at the newest, which the rows that are seen end with.
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

  it("reaches everything with Tab, and a long list in one step", async () => {
    const { url, page } = await openConsole();
    await recordRun(url, "r", many("LOG", 1_000));
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
      "Filter by type",
      "Go to sequence",
      "Follow",
      "All",
      "LOG 1,000",
    ]);
    expect(seen[6]).toMatch(/^event-\d+$/);
    expect(seen[7]).not.toMatch(/^event-/);
  });

  it("leaves to the browser what is pressed with Ctrl, and to a field what is typed into it", async () => {
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
});
