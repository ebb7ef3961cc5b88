import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { openSignedIn, PATIENT, useBrowser } from "./open-console.ts";
import { many, recordRun } from "./record-run.ts";

const EVENTS = 100_000;
/** The number of frames each way, and how far each scrolls, in CSS pixels: more than a view. */
const FRAMES = 150;
const STEP_PX = 900;
/** The visible rows of a window of 800 pixels, ten on either side, and the one for Tab. */
const MOST_ROWS = 60;

/**
 * Scrolls through the list frame by frame, up and then anywhere.
 * @returns the most rows of any frame
 */
function scroll(page: Page): Promise<number> {
  return page.evaluate(
    async ([frames, step]) => {
      const list = document.querySelector(".timeline");
      if (list === null) throw new Error("Expected a list");
      let most = 0;
      const frame = async (): Promise<void> => {
        await new Promise(requestAnimationFrame);
        most = Math.max(most, list.querySelectorAll(".row").length);
      };
      for (let index = 0; index < frames; index += 1) {
        list.scrollTop -= step;
        await frame();
      }
      for (let index = 0; index < frames; index += 1) {
        list.scrollTop = (list.scrollHeight / frames) * index;
        await frame();
      }
      return most;
    },
    [FRAMES, STEP_PX] as const,
  );
}

describe("a run of 100,000 events", () => {
  useBrowser();

  it("a run of 100,000 events is shown with a few dozen rows in the page, at any scroll position", async () => {
    const { url, page } = await openSignedIn();
    await recordRun(url, "r", many("LOG", EVENTS));
    await page.goto(`${url}/#/runs/r`);
    await page.locator(`#event-${EVENTS}`).waitFor();
    expect(await scroll(page)).toBeLessThan(MOST_ROWS);
    for (const sequence of [1, 50_000, EVENTS]) {
      await page.getByLabel("Go to sequence").fill(String(sequence));
      await page.getByLabel("Go to sequence").press("Enter");
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.id), PATIENT)
        .toBe(`event-${sequence}`);
      expect(await page.locator(`#event-${sequence}`).innerText()).toContain(`"index":${sequence}`);
      expect(await page.locator(".row").count()).toBeLessThan(MOST_ROWS);
    }
  });
});
