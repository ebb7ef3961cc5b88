import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import { readSnippet } from "../snippets.ts";
import { openBrowser, type TestBrowser } from "./open-browser.ts";
import { type Site, startSite } from "./site.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** Opens a page that runs a script for a finished run of three events. */
async function withPage(
  script: string,
  work: (page: Page, site: Site) => Promise<void>,
): Promise<void> {
  const site = await startSite({ script });
  const context = await browser.open(site.origin);
  try {
    const { runId } = await site.runs.create({ ownerId: "ada" });
    await site.runs
      .as("ada")
      .append(runId, [
        { eventType: "PHASE_STARTED", payload: { phase: "compose" } },
        { eventType: "STEP" },
        { eventType: "RUN_COMPLETED" },
      ]);
    await context.addInitScript(`Object.assign(globalThis, {
      runId: ${JSON.stringify(runId)},
      shown: [],
      show: ({ eventType }) => shown.push(eventType),
      showError: (code) => shown.push(code),
    })`);
    const page = await context.newPage();
    await page.goto(site.origin);
    await work(page, site);
  } finally {
    await context.close();
    await site.stop();
  }
}

it.each(["page.js", "own-page.js"])("the pages: %s shows a run in a page", async (name) => {
  await withPage(await bundle(readSnippet(name)), async (page) => {
    await page.waitForFunction("shown.length === 3");
    expect(await page.evaluate("shown")).toEqual(["PHASE_STARTED", "STEP", "RUN_COMPLETED"]);
  });
});

it("AUTHORS: own-page.js shows why a run cannot be followed any longer", async () => {
  const script = readSnippet("own-page.js").replace("?since=0", "?since=3");
  await withPage("", async (page, { runs }) => {
    const { runId } = await runs.create({ ownerId: "ada" });
    await page.evaluate(`runId = ${JSON.stringify(runId)}; ${script}`);
    await page.waitForFunction("shown.length === 1");
    expect(await page.evaluate("shown")).toEqual(["cursor_ahead"]);
  });
});

it("AUTHORS: own-page.js shows that a run does not exist", async () => {
  await withPage("", async (page) => {
    await page.evaluate(`runId = "no-such-run"; ${readSnippet("own-page.js")}`);
    await page.waitForFunction("shown.length === 1");
    expect(await page.evaluate("shown")).toEqual(["refused"]);
  });
});

/** The script of a page that renders an element of these snippets. */
async function pageOf(work: string): Promise<string> {
  const names = ["run.jsx", "text.jsx", "list.jsx", "list-page.jsx"];
  const modules = Object.fromEntries(names.map((name) => [`./${name}`, readSnippet(name)]));
  const code = `
    ${readSnippet("page.jsx")}
    import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
    import { createRoot } from "react-dom/client";
    import { renderToStaticMarkup } from "react-dom/server.browser";
    import { Text } from "./text.jsx";
    import { List } from "./list.jsx";
    import { ListPage } from "./list-page.jsx";
    const render = (element) => createRoot(document.querySelector("#root")).render(element);
    ${work}
  `;
  return bundle(code, { modules });
}

it("README: run.jsx is a component that shows a run, and does not offer to cancel one that has ended", async () => {
  await withPage(await pageOf("render(<Run runId={runId} />)"), async (page) => {
    await page.waitForSelector("li:nth-child(3)");
    expect(await page.textContent("p")).toBe("completed compose (finished)");
    expect(await page.locator("button").allTextContents()).toEqual(["Cancel"]);
    expect(await page.locator("button").isDisabled()).toBe(true);
  });
});

it("README: run.jsx shows no unknown values, as where a server renders", async () => {
  const script = await pageOf('show({ eventType: renderToStaticMarkup(<Run runId="r" />) })');
  await withPage(script, async (page) => {
    await page.waitForFunction("shown.length === 1");
    expect(await page.evaluate("shown")).toEqual([
      "<section><p>(connecting)</p><ol></ol><button>Cancel</button></section>",
    ]);
  });
});

it("README: page.jsx renders what core knows of a run", async () => {
  const script = await pageOf(`
    const runs = createRunEvents({ store: createMemoryStore() });
    const { runId: id } = await runs.create({ ownerId: "ada" });
    await runs.append(id, Array.from({ length: 60 }, () => ({ eventType: "STEP" })), { ownerId: "ada" });
    const element = await Page({ runs, runId: id, user: { id: "ada" } });
    show({ eventType: renderToStaticMarkup(element) });
  `);
  await withPage(script, async (page) => {
    await page.waitForFunction("shown.length === 1");
    const [html] = await page.evaluate<readonly string[]>("shown");
    expect(html?.match(/<li>STEP<\/li>/g)).toHaveLength(50);
    expect(html).toContain("<p>running (connecting)</p><button>Earlier</button>");
  });
});

it("README: text.jsx is a component that shows the tokens of a run as text", async () => {
  await withPage(
    await pageOf("window.text = (id) => render(<Text runId={id} />)"),
    async (page, { runs }) => {
      const { runId } = await runs.create({ ownerId: "ada" });
      const words = ["Tea ", "is ", "a "].map((payload) => ({ eventType: "TOKEN", payload }));
      await runs.as("ada").append(runId, [...words, { eventType: "STEP", payload: "no" }]);
      await page.evaluate(`text("${runId}")`);
      await page.waitForFunction('document.querySelector("pre")?.textContent === "Tea is a "');
      await runs.as("ada").append(runId, [{ eventType: "TOKEN", payload: "leaf." }]);
      await page.waitForFunction('document.querySelector("pre").textContent === "Tea is a leaf."');
    },
  );
});

it("README: list.jsx is a component that shows the runs as they change, and older ones when asked", async () => {
  const script = await pageOf("window.list = (options) => render(<List {...options} />)");
  await withPage(script, async (page, { runs }) => {
    await page.evaluate("list({})");
    await page.waitForFunction('document.querySelectorAll("li").length === 1');
    const { runId } = await runs.create({ ownerId: "ada" });
    await page.waitForFunction('document.querySelectorAll("li").length === 2');
    expect(await page.locator("li").allTextContents()).toEqual([
      "queued, 0 events",
      "completed, 3 events",
    ]);
    await page.evaluate('list({ status: "live" })');
    await page.waitForFunction('document.querySelectorAll("li").length === 1');
    await runs.as("ada").append(runId, [{ eventType: "STEP" }]);
    await page.waitForFunction('document.querySelector("li")?.textContent === "running, 1 events"');
    expect(await page.locator("button").count()).toBe(0);
  });
});

it("README: list-page.jsx renders what core knows of the runs", async () => {
  const script = await pageOf(`
    const runs = createRunEvents({ store: createMemoryStore() });
    const { runId: id } = await runs.create({ ownerId: "ada" });
    await runs.append(id, [{ eventType: "STEP" }], { ownerId: "ada" });
    const element = await ListPage({ runs, user: { id: "ada" } });
    show({ eventType: renderToStaticMarkup(element) });
  `);
  await withPage(script, async (page) => {
    await page.waitForFunction("shown.length === 1");
    expect(await page.evaluate("shown")).toEqual([
      "<section><ul><li>running, 1 events</li></ul></section>",
    ]);
  });
});
