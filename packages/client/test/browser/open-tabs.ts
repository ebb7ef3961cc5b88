import { findFreePort } from "@tm/run-events-test-servers";
import { chromium, type Page } from "playwright-core";
import { expect, vi } from "vitest";
import { launchChromium } from "./open-browser.ts";

/** How much faster the clock of a tab runs: a minute of the client takes some seconds. */
const SPEED = 5;

/** Runs before the scripts of a page. Makes its clock faster, and sets `pageState`, which shows whether it is frozen. */
const INIT_SCRIPT = `
{
  const now = performance.now.bind(performance);
  performance.now = () => now() * ${SPEED};
  const { setTimeout } = window;
  window.setTimeout = (work, ms = 0) => setTimeout(work, ms / ${SPEED});
}
window.pageState = "active";
document.addEventListener("freeze", () => (pageState = "frozen"));
document.addEventListener("resume", () => (pageState = "active"));
`;

/** A Chromium whose tabs are as users have them: one is visible, the others are hidden, and their timers run once a minute. */
export interface TabbedBrowser {
  /**
   * Opens a page in a tab, in front of the others, signed in as `ada`.
   * @param site where she is signed in
   */
  openTab(url: string, site?: string): Promise<Tab>;
  close(): Promise<void>;
}

/** A tab of that browser. */
export interface Tab {
  readonly page: Page;
  /** Makes this the visible tab, and hides the others. */
  show(): Promise<void>;
  /** Stops the tab's timers and its network. Messages from other tabs still come. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/**
 * Starts such a browser. Playwright makes every page that it launches visible, so a second connection opens these pages.
 * @param options `graceSeconds`: how long a tab is hidden before its timers run once a minute. Until then they run once a second
 */
export async function openTabbedBrowser({
  graceSeconds = 1,
}: { readonly graceSeconds?: number } = {}): Promise<TabbedBrowser> {
  const port = await findFreePort();
  const browser = await launchChromium({
    args: [
      `--remote-debugging-port=${port}`,
      `--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/${graceSeconds}`,
    ],
    withoutArgs: ["--disable-background-timer-throttling", "--disable-renderer-backgrounding"],
  });
  const seat = await chromium.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
  const [context] = seat.contexts();
  if (context === undefined) throw new Error("Expected Chromium to have a profile.");
  await context.addInitScript(INIT_SCRIPT);
  return {
    async openTab(url, site = url) {
      await context.addCookies([{ name: "session", value: "ada", url: site }]);
      const page = await context.newPage();
      await page.goto(url);
      const session = await context.newCDPSession(page);
      const turn = async (state: "frozen" | "active"): Promise<void> => {
        await session.send("Page.setWebLifecycleState", { state });
        const read = (): Promise<unknown> => page.evaluate("pageState");
        await vi.waitFor(async () => expect(await read()).toBe(state), { timeout: 20_000 });
      };
      return {
        page,
        show: () => page.bringToFront(),
        freeze: () => turn("frozen"),
        thaw: () => turn("active"),
      };
    },
    async close() {
      await seat.close();
      await browser.close();
    },
  };
}
