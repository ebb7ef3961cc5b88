import { findChromium } from "@tm/run-events-test-servers";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** A browser for the tests of one file. */
export interface TestBrowser {
  /** Opens a new profile, signed in as `ada` at these origins. */
  open(...origins: readonly string[]): Promise<BrowserContext>;
  close(): Promise<void>;
}

/** Starts the system's Chromium. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    // Root has no sandbox. A page that is left is kept, as it is for users.
    chromiumSandbox: false,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
}

/** Starts a browser for the tests of one file. */
export async function openBrowser(): Promise<TestBrowser> {
  const browser = await launchChromium();
  return {
    async open(...origins) {
      const context = await browser.newContext();
      await context.addCookies(origins.map((url) => ({ name: "session", value: "ada", url })));
      return context;
    },
    close: () => browser.close(),
  };
}

/** The content of the page of `FOLLOW_SCRIPT`. */
export interface Shown {
  readonly sequences: readonly number[];
  readonly state: string;
  readonly code: string | null;
}

/** A script that gives pages `follow`, which follows a run with the client, and `listen`, which does so with EventSource. */
export const FOLLOW_SCRIPT = `
import { followRun } from "@tm/run-events-client";
const shown = { sequences: [], state: "connecting", code: null };
window.shown = shown;
window.restored = 0;
addEventListener("pageshow", ({ persisted }) => persisted && (window.restored += 1));
window.follow = async (options) => {
  const onConnectionState = ({ state, error }) => Object.assign(shown, { state, code: error?.code ?? null });
  const fetch = options.isAnonymous
    ? (url, init) => window.fetch(url, { ...init, credentials: "omit" })
    : window.fetch.bind(window);
  for await (const { sequence } of followRun({ ...options, fetch, onConnectionState })) shown.sequences.push(sequence);
};
window.listen = (url, init) => {
  const source = new EventSource(url, init);
  window.source = source;
  source.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === "run_event") shown.sequences.push(frame.event.sequence);
    if (frame.type === "run_finished") {
      shown.state = "finished";
      source.close();
    }
    if (frame.type === "error" && !frame.retryable) {
      Object.assign(shown, { state: "failed", code: frame.code });
      source.close();
    }
  };
};
`;

/** Waits until the page shows these events and this state. */
export async function expectShown(page: Page, last: number, state: string): Promise<void> {
  const wanted = { sequences: Array.from({ length: last }, (_, index) => index + 1), state };
  const text = JSON.stringify(wanted);
  await page.waitForFunction(
    (wanted) => {
      const { sequences, state } = (globalThis as unknown as { readonly shown: Shown }).shown;
      return JSON.stringify({ sequences, state }) === wanted;
    },
    text,
    // A hidden page paints no frames.
    { polling: 50, timeout: 40_000 },
  );
}

/** Reads the content of the page. */
export async function readShown(page: Page): Promise<Shown> {
  return page.evaluate(() => (globalThis as unknown as { readonly shown: Shown }).shown);
}

/**
 * Stops a page's script, as in a tab that the browser has put to sleep: bytes come, and are not read.
 * @returns a function that lets the script continue
 */
export async function pauseScript(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Debugger.enable");
  const paused = new Promise((resolve) => session.once("Debugger.paused", resolve));
  await session.send("Debugger.pause");
  await paused;
  return () => session.detach();
}
