import type { RunEvent, RunStatus } from "@tm/run-events-core";
import type { Browser, Page as BrowserPage } from "playwright-core";
import { expect } from "vitest";
import type { Owner } from "../../server/test/start-server.ts";
import type { Page as LogPage } from "./api.ts";

/** The time limit of a step in the page, in milliseconds. */
const STEP_MS = 30_000;

/** The visible part of a run: the sequence and the text of each event, and the status. */
interface Shown {
  readonly events: readonly (readonly [sequence: number, text: string])[];
  readonly status: string;
}

const READ_SHOWN = `({
  events: [...document.querySelectorAll("#events li")].map((line) => [line.value, line.textContent]),
  status: document.getElementById("status")?.textContent ?? "",
})`;

/** Keeps what the page shows after each of its changes. */
const WATCH = `
  globalThis.views = [];
  new MutationObserver(() => views.push(${READ_SHOWN})).observe(document, { childList: true, subtree: true });
`;

/** A visitor of the guide's page. */
export interface Visit {
  readonly page: BrowserPage;
  /** Fills in the prompt and presses the button. */
  ask(prompt: string): Promise<void>;
  /** Waits until the page shows this many events, or more. */
  sees(count: number): Promise<void>;
  /** Waits until the page shows this status and no longer offers to cancel. @returns what it then shows */
  seesEnd(status: string): Promise<Shown>;
  /** The run as the page shows it now. */
  shown(): Promise<Shown>;
  /** The run as the page showed it after each change, since it was loaded. */
  views(): Promise<readonly Shown[]>;
}

/** Opens the page in a new profile. The test fails if the page throws or logs an error. */
export async function visit(browser: Browser, url: string, owner: Owner): Promise<Visit> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  owner.onTestFinished(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
  await page.addInitScript(WATCH);
  await page.goto(url);
  return {
    page,
    async ask(prompt) {
      await page.getByLabel("Prompt").fill(prompt);
      await page.getByRole("button", { name: "Start a run" }).click();
      await page.waitForURL(/\?run=/);
    },
    async sees(count) {
      await page.locator(`#events li:nth-child(${count})`).waitFor();
    },
    async seesEnd(status) {
      await page.getByText(new RegExp(`^${status}\\b`)).waitFor();
      await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "hidden" });
      return page.evaluate<Shown>(READ_SHOWN);
    },
    shown: () => page.evaluate<Shown>(READ_SHOWN),
    views: () => page.evaluate<readonly Shown[]>("views"),
  };
}

/** The run that the page follows, with its log, as a poll gets them. */
export async function readShownRun(page: BrowserPage): Promise<{
  readonly runStatus: RunStatus;
  readonly events: readonly RunEvent[];
}> {
  const { origin, searchParams } = new URL(page.url());
  const path = `/v1/agent-runs/${searchParams.get("run") ?? ""}/events?limit=1000`;
  const answer = await fetch(origin + path, { headers: { cookie: "user=ada" } });
  return (await answer.json()) as LogPage;
}

/** The expected view of a page that has the whole log. */
export function linesOf(events: readonly RunEvent[]): Shown["events"] {
  return events.map(({ sequence, eventType, payload }) => [
    sequence,
    `${eventType} ${JSON.stringify(payload)}`,
  ]);
}
