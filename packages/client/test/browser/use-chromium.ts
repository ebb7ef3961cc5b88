import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { bundle } from "../bundle.ts";
import { openBrowser, type TestBrowser } from "./open-browser.ts";
import { type Site, type SiteOptions, startSite } from "./site.ts";

/** A browser of a test file. Each of its tests has a new site and a new profile, signed in as `ada`. */
export interface Chromium {
  readonly site: Site;
  readonly context: BrowserContext;
  /** Errors and warnings of the test's pages so far. */
  readonly complaints: readonly string[];
  /** Opens a page of the site. */
  openPage(): Promise<Page>;
}

/**
 * Starts a browser for the tests of a file.
 * @param code the script of every page, before it is bundled
 */
export function useChromium(code: string, options: SiteOptions = {}): Chromium {
  let browser: TestBrowser;
  let script: string;
  let site: Site;
  let context: BrowserContext;
  let complaints: string[];
  beforeAll(async () => {
    [browser, script] = await Promise.all([openBrowser(), bundle(code)]);
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    complaints = [];
    site = await startSite({ ...options, script });
    context = await browser.open(site.origin);
  });
  afterEach(async () => {
    await context.close();
    await site.stop();
  });
  return {
    get site() {
      return site;
    },
    get context() {
      return context;
    },
    get complaints() {
      return complaints;
    },
    async openPage() {
      const own = complaints;
      const page = await context.newPage();
      page.on("pageerror", ({ message }) => own.push(message));
      page.on("console", (message) => message.type() === "error" && own.push(message.text()));
      await page.goto(site.origin);
      return page;
    },
  };
}
