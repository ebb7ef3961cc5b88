import { findFreePort } from "@tm/run-events-test-servers";
import { chromium, type Page } from "playwright-core";
import { launchChromium } from "./open-browser.ts";

/** How much faster the clock of a tab runs: 10 s of the client take 2 s. */
const SPEED = 5;

/** Runs before the scripts of a page. Makes its clock faster. */
const INIT_SCRIPT = `
{
  const now = performance.now.bind(performance);
  performance.now = () => now() * ${SPEED};
  const { setTimeout } = window;
  window.setTimeout = (work, ms = 0) => setTimeout(work, ms / ${SPEED});
}
`;

/** A Chromium whose tabs are as users have them: one is visible, the others are hidden, and their timers run once a second. */
export interface TabbedBrowser {
  /**
   * Opens a page in a tab, in front of the others, signed in as `ada`.
   * @param site where she is signed in
   */
  openTab(url: string, site?: string): Promise<Tab>;
  close(): Promise<void>;
}

/** A tab of that browser. */
interface Tab {
  readonly page: Page;
  /** Makes this the visible tab, and hides the others. */
  show(): Promise<void>;
}

/** Starts such a browser. Playwright makes every page that it launches visible, so a second connection opens these pages. */
export async function openTabbedBrowser(): Promise<TabbedBrowser> {
  const port = await findFreePort();
  const browser = await launchChromium({
    args: [`--remote-debugging-port=${port}`],
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
      return {
        page,
        show: () => page.bringToFront(),
      };
    },
    async close() {
      await seat.close();
      await browser.close();
    },
  };
}
