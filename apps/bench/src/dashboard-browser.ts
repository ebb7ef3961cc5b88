import { fileURLToPath } from "node:url";
import { findChromium } from "@tm/run-events-test-servers";
import { type Browser, type CDPSession, chromium } from "playwright-core";
import { rolldown } from "rolldown";
import type { DashboardPage } from "./dashboard-page.ts";

/** The script of the page, with the client in it. */
export async function bundlePage(): Promise<string> {
  const build = await rolldown({
    input: fileURLToPath(new URL("dashboard-page.ts", import.meta.url)),
    platform: "browser",
    resolve: { conditionNames: ["@tm/source", "import", "browser"] },
  });
  try {
    const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
    return output[0].code;
  } finally {
    await build.close();
  }
}

/** What the processes of a browser took so far, in microseconds. */
export interface BrowserUsage {
  /** The processes of the pages. */
  readonly page: number;
  /** All of them: also those for the network and for painting. */
  readonly all: number;
}

/** Chromium, with one page open at a time. */
export class DashboardBrowser {
  readonly #browser: Browser;
  readonly #session: CDPSession;

  private constructor(browser: Browser, session: CDPSession) {
    this.#browser = browser;
    this.#session = session;
  }

  /** Starts the system's Chromium. */
  static async start(): Promise<DashboardBrowser> {
    // Root has no sandbox, and the page is ours.
    const browser = await chromium.launch({
      executablePath: findChromium(),
      chromiumSandbox: false,
    });
    return new DashboardBrowser(browser, await browser.newBrowserCDPSession());
  }

  /** Lends a page. */
  async withPage<Result>(url: string, use: (page: CalledPage) => Promise<Result>): Promise<Result> {
    const page = await this.#browser.newPage();
    try {
      await page.goto(url);
      return await use({
        call: (name) => page.evaluate(`dashboard.${name}()`),
      });
    } finally {
      await page.close();
    }
  }

  async usage(): Promise<BrowserUsage> {
    const { processInfo } = await this.#session.send("SystemInfo.getProcessInfo");
    const sum = (infos: typeof processInfo): number =>
      infos.reduce((micros, { cpuTime }) => micros + cpuTime * 1e6, 0);
    return {
      page: sum(processInfo.filter(({ type }) => type === "renderer")),
      all: sum(processInfo),
    };
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}

/** A page whose functions can be called. */
export interface CalledPage {
  call<Name extends keyof DashboardPage>(name: Name): Promise<ReturnType<DashboardPage[Name]>>;
}
