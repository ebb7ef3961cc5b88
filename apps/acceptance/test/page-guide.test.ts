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

/** A prompt whose answer takes a minute, so that no step of a test comes after the run's end. */
const LONG = Array.from({ length: 150 }, (_, word) => `word-${word}`).join(" ");
/** A prompt whose answer takes some ten seconds. */
const MIDDLE = Array.from({ length: 16 }, (_, word) => `word-${word}`).join(" ");

/** Runs the guide's command, on the packages' sources, since tests need no build. */
async function followWithClient(folder: string): Promise<void> {
  const command = readGuide("page-client.md", "bundle.sh").trimEnd();
  // A configuration replaces the command's input.
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
    // At no time did the page show an event twice or out of order.
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
    // The work has ended as well, and logged why.
    await vi.waitFor(
      () => expect(quickstart.complaints()).toContain("this one is cancelled"),
      30_000,
    );
  });
});

describe("the guide's server, from a browser or without one", () => {
  const owner = ownedByAll();
  let quickstart: Quickstart;
  beforeAll(async () => {
    const folder = await makeSnippetFolder(owner);
    await writeQuickstart(folder);
    quickstart = await startQuickstart(folder, owner);
  });

  type Named = Readonly<Record<string, string>>;
  const post = (headers: Named, body: Named | ReadableStream | string): Promise<Response> =>
    fetch(quickstart.url, {
      method: "POST",
      headers: { cookie: "user=ada", ...headers },
      body:
        body instanceof ReadableStream || typeof body === "string"
          ? body
          : new URLSearchParams(body),
      redirect: "manual",
      ...(body instanceof ReadableStream && { duplex: "half" }),
    });
  const countRuns = async (): Promise<number> => {
    const answer = await fetch(`${quickstart.url}/v1/agent-runs`, {
      headers: { cookie: "user=ada" },
    });
    const { runs } = (await answer.json()) as { readonly runs: readonly unknown[] };
    return runs.length;
  };

  it("W5: a page of its own origin starts work, and one of another origin does not", async () => {
    const own = [{}, { origin: quickstart.url }, { "sec-fetch-site": "same-origin" }];
    for (const headers of own) expect((await post(headers, { prompt: "Why?" })).status).toBe(303);
    const before = await countRuns();
    const foreign = [
      { origin: "https://other.example" },
      { origin: "null" },
      { origin: quickstart.url.replace(/\d+$/, "1") },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
    ];
    for (const headers of foreign)
      expect([headers, (await post(headers, { prompt: "Why?" })).status]).toEqual([headers, 403]);
    expect(await countRuns()).toBe(before);
  });

  it("a body that is too long, or of unknown length, is refused and starts nothing", async () => {
    const before = await countRuns();
    const prompt = "a".repeat(400_000);
    expect((await post({}, { prompt })).status).toBe(413);
    const unknown = new Blob(["prompt=Why"]).stream();
    expect((await post({}, unknown)).status).toBe(413);
    expect(await countRuns()).toBe(before);
  });

  it("a run that cannot be created is answered", async () => {
    // As JSON in the metadata, a control character takes six bytes.
    const answer = await post({}, `prompt=${"\u0001".repeat(60_000)}`);
    expect(answer.status).toBe(500);
    // The server's output may arrive after its answer.
    await vi.waitFor(
      () => expect(quickstart.complaints()).toContain("Expected `metadata`"),
      30_000,
    );
  });

  it.each(["a=user=ada", "x-user=ada", "user=ada-lovelace", "user=adalovelace", "user=bob"])(
    "the cookie %s is not the user's",
    async (cookie) => {
      const asked = (given: string): Promise<Response> =>
        fetch(`${quickstart.url}/v1/agent-runs`, { headers: { cookie: given } });
      expect((await asked(cookie)).status).toBe(401);
      expect((await asked(`a=b; user=ada; c=d`)).status).toBe(200);
      expect((await post({ cookie }, { prompt: "Why?" })).status).toBe(200);
    },
  );
});
