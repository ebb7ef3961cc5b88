import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { launchChromium } from "../../../packages/client/test/browser/open-browser.ts";
import { ownedByAll } from "../../server/test/start-server.ts";
import {
  makeSnippetFolder,
  type Quickstart,
  readGuide,
  startQuickstart,
  writeClientPage,
  writeQuickstart,
} from "./page-quickstart.ts";
import { linesOf, readShownRun, visit } from "./page-visit.ts";

/** A prompt that is answered for a minute: no step of a test comes after the run's end. */
const LONG = Array.from({ length: 150 }, (_, word) => `word-${word}`).join(" ");
/** A prompt that is answered for some ten seconds. */
const MIDDLE = Array.from({ length: 16 }, (_, word) => `word-${word}`).join(" ");

/** Runs the guide's command, on the packages' sources, since tests need no build. */
async function followWithClient(folder: string): Promise<void> {
  const command = readGuide("page-client.md", "bundle.sh").trimEnd();
  // A configuration takes the place of the command's input.
  const config = {
    input: / (@\S+) /.exec(command)?.[1],
    resolve: { conditionNames: ["@tm/source", "import", "browser"] },
  };
  await writeFile(join(folder, "sources.mjs"), `export default ${JSON.stringify(config)};`);
  await promisify(execFile)("sh", ["-ec", `${command} -c sources.mjs`], { cwd: folder });
  await writeClientPage(folder);
}

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

// Each test mostly waits for its run.
describe.concurrent.each([
  ["EventSource", async () => {}],
  ["the client", followWithClient],
])("Chromium, the guide's page with %s", (_name, prepare) => {
  const owner = ownedByAll();
  let quickstart: Quickstart;
  beforeAll(async () => {
    const folder = await makeSnippetFolder(owner);
    await writeQuickstart(folder);
    await prepare(folder);
    quickstart = await startQuickstart(folder, owner);
  });

  it("W22, W23: the button starts a run, its tokens come one by one, and its end is seen", async (test) => {
    const { page, ask, seesEnd, views } = await visit(browser, quickstart.url, test);
    await ask("Why?");
    const shown = await seesEnd("completed");
    const { events, runStatus } = await readShownRun(page);
    expect(runStatus).toBe("completed");
    expect(shown.events).toEqual(linesOf(events));
    expect(events.map(({ payload }) => payload)).toEqual([
      ..."You asked: Why? This answer comes slowly, word by word.".split(" "),
      { done: true },
    ]);
    const whileLive = (await views()).filter(({ status }) => status.startsWith("running"));
    const lengths = new Set(whileLive.map(({ events }) => events.length));
    expect(lengths.size).toBeGreaterThan(3);
  });

  it("W20: a reload in mid-run shows every event once, and goes on to the end", async (test) => {
    const { page, ask, sees, seesEnd, shown, views } = await visit(browser, quickstart.url, test);
    await ask(MIDDLE);
    await sees(3);
    await page.reload();
    await sees(6);
    const before = await shown();
    expect(before.status).toMatch(/^running\b/);
    const whole = await seesEnd("completed");
    const { events } = await readShownRun(page);
    expect(before.events.length).toBeLessThan(events.length);
    expect(whole.events).toEqual(linesOf(events));
    // Nor was there one too many, or out of order, in between.
    for (const view of await views())
      expect(view.events).toEqual(linesOf(events.slice(0, view.events.length)));
    await page.reload();
    expect(await seesEnd("completed")).toEqual(whole);
  });

  it("W13: Cancel ends the run, in the page and for the work", async (test) => {
    const { page, ask, sees, seesEnd } = await visit(browser, quickstart.url, test);
    await ask(LONG);
    await sees(2);
    await page.getByRole("button", { name: "Cancel" }).click();
    const shown = await seesEnd("cancelled");
    const { events, runStatus } = await readShownRun(page);
    expect(runStatus).toBe("cancelled");
    expect(events.at(-1)?.eventType).toBe("RUN_CANCELLED");
    expect(shown.events).toEqual(linesOf(events));
    // The work has ended as well: it says why.
    await vi.waitFor(
      () => expect(quickstart.complaints()).toContain("this one is cancelled"),
      30_000,
    );
  });
});
