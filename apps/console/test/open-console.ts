import { findChromium } from "@tm/run-events-test-servers";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import {
  ADA,
  ownedByAll,
  type ServerEnv,
  type ServerProcess,
  startServer,
} from "../../server/test/start-server.ts";
import { deleteRuns } from "./record-run.ts";

/** The time that a step in the page may take before the test is given up, in milliseconds. */
const STEP_MS = 30_000;

/** The time that a polled change may take: the list of runs is read every two seconds. */
export const PATIENT: { readonly timeout: number } = { timeout: STEP_MS };

const BY_ITSELF = /^Failed to load resource: (.* a status of 40[14] |net::ERR_)/;

/** The page of a server that no other test uses at the same time. */
export interface OpenConsole {
  readonly url: string;
  readonly page: Page;
  /** Kills the server, as in a crash. */
  readonly killServer: () => Promise<unknown>;
}

/** The width and the colours of the page, and the messages that it may log. */
export interface Settings {
  readonly width?: number;
  readonly colours?: "light" | "dark";
  /** Messages that the page may log. */
  readonly maySay?: RegExp;
}

let browser: Browser;
/** The server of all tests of this file, if they share one. */
let shared: ServerProcess | null = null;

/** One browser for the tests of a file. Call this once, outside of the tests. */
export function useBrowser(): void {
  beforeAll(async () => {
    // Root has no sandbox, and the pages are ours.
    browser = await chromium.launch({ executablePath: findChromium(), chromiumSandbox: false });
  });
  afterAll(() => browser.close());
}

/** One server for those tests of a file that set no variables. It has no runs when a test begins. Call this outside of the tests. */
export function useSharedServer(): void {
  const owner = ownedByAll();
  beforeAll(async () => {
    shared = await startServer({}, undefined, owner);
  });
}

/**
 * Starts a server and opens its page, without a session. The test fails if the page throws, breaks its policy, or logs a message. Only the
 * browser's own messages are allowed: that an answer was 401 or 404, or did not come.
 */
export async function openConsole(
  env: ServerEnv = {},
  settings: Settings = {},
): Promise<OpenConsole> {
  const setsNothing = Object.keys(env).length === 0;
  const { url, end } = (setsNothing ? shared : null) ?? (await startServer(env));
  const context = await browser.newContext({
    viewport: { width: settings.width ?? 1_280, height: 800 },
    colorScheme: settings.colours ?? "light",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    if (!BY_ITSELF.test(text) && settings.maySay?.test(text) !== true) faults.push(text);
  });
  onTestFinished(async () => {
    await context.close();
    if (url === shared?.url) await deleteRuns(url);
    expect(faults).toEqual([]);
  });
  await page.goto(url);
  return { url, page, killServer: () => end("SIGKILL") };
}

/** Does the same as `openConsole`, signed in as ada. */
export async function openSignedIn(
  env: ServerEnv = {},
  settings: Settings = {},
): Promise<OpenConsole> {
  const opened = await openConsole(env, settings);
  await signIn(opened.page, ADA);
  await opened.page.getByRole("navigation", { name: "Runs" }).waitFor({ state: "attached" });
  return opened;
}

/** Fills in the token and sends it. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}
