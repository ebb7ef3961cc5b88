import { compile, compileModule } from "svelte/compiler";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { bundle } from "../bundle.ts";
import { readSnippet } from "../snippets.ts";
import { openBrowser, type TestBrowser } from "./open-browser.ts";
import { type Site, startSite } from "./site.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** A module that creates the store of a run, or of a list of runs, and makes the text that a page shows. */
const SHOWN = `
import { createRunsStore, createRunStore } from "@tm/run-events-client/store";

export const create = ({ runId, list }) =>
  list === undefined ? createRunStore(runId, { tail: 2 }) : createRunsStore(list);
export const textOf = ({ state, events, runs }) =>
  (runs === undefined ? events.length : runs.map(({ lastSequence }) => lastSequence).join()) + " " + state;
`;

const VUE = `
import { createApp, h, shallowRef } from "vue";
import { useStore } from "recipe";
import { create, textOf } from "shown";

const shown = shallowRef({ runId: null });
const Page = {
  setup() {
    const view = useStore(() => create(shown.value));
    window.view = () => view.value;
    return () => h("p", textOf(view.value));
  },
};
const app = createApp(Page);
app.mount("#root");
window.show = (next) => (shown.value = next);
window.leave = () => app.unmount();
`;

const SVELTE_COMPONENT = `
<script>
  import { useStore } from "recipe";
  import { create, textOf } from "shown";
  let { props } = $props();
  const view = $derived(useStore(create(props.shown)));
  window.view = () => view.current;
</script>
<p>{textOf(view.current)}</p>
`;

/** The state of a rune is in a compiled module. */
const SVELTE_STATE = `
export const props = $state({ shown: { runId: null } });
`;

const SVELTE = `
import { flushSync, mount, unmount } from "svelte";
import Page from "component";
import { props } from "state";

const app = mount(Page, { target: document.querySelector("#root"), props: { props } });
window.show = (next) => flushSync(() => (props.shown = next));
window.leave = () => unmount(app);
`;

const SOLID = `
import { createSignal } from "solid-js";
import { render } from "solid-js/web";
import h from "solid-js/h";
import { useStore } from "recipe";
import { create, textOf } from "shown";

const [shown, setShown] = createSignal({ runId: null });
function Page() {
  const view = useStore(() => create(shown()));
  window.view = view;
  return h("p", () => textOf(view()));
}
window.leave = render(() => h(Page), document.querySelector("#root"));
window.show = setShown;
`;

async function scriptOf(framework: string): Promise<string> {
  const modules = { recipe: readSnippet(`use-store-${framework}.js`), shown: SHOWN };
  if (framework === "vue") return bundle(VUE, { modules });
  if (framework === "solid") return bundle(SOLID, { modules });
  return bundle(SVELTE, {
    modules: {
      ...modules,
      component: compile(SVELTE_COMPONENT, { generate: "client" }).js.code,
      state: compileModule(SVELTE_STATE, { generate: "client" }).js.code,
    },
  });
}

async function expectText(page: Page, text: string): Promise<void> {
  await vi.waitFor(async () => expect(await page.textContent("p")).toBe(text), {
    timeout: 30_000,
    interval: 20,
  });
}

/** A run of some events. */
async function startRun({ runs }: Site, count: number, topic?: string): Promise<string> {
  const { runId } = await runs.create({ ownerId: "ada", topic });
  const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
  await runs.as("ada").append(runId, events);
  return runId;
}

const FRAMEWORKS = ["vue", "svelte", "solid"] as const;
type Framework = (typeof FRAMEWORKS)[number];

/** Opens a page that shows no run yet. In the end it has left nothing, and has complained about nothing. */
async function play(
  framework: Framework,
  moves: (site: Site, page: Page, show: (next: unknown) => Promise<void>) => Promise<void>,
): Promise<void> {
  const site = await startSite({ script: await scriptOf(framework) });
  let context: BrowserContext | undefined;
  try {
    context = await browser.open(site.origin);
    const complaints: string[] = [];
    const page = await context.newPage();
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("console", (message) => message.type() !== "log" && complaints.push(message.text()));
    await page.goto(site.origin);
    await expectText(page, "0 idle");
    await moves(
      site,
      page,
      async (next) => void (await page.evaluate(`show(${JSON.stringify(next)})`)),
    );
    await page.evaluate("leave()");
    await vi.waitFor(() => expect(site.openStreams()).toBe(0), { timeout: 30_000 });
    expect(complaints).toEqual([]);
  } finally {
    await context?.close();
    await site.stop();
  }
}

it.each(FRAMEWORKS)(
  "README: use-store-%s.js follows a run, changes it, loads earlier events, cancels, and leaves nothing",
  async (framework) =>
    play(framework, async (site, page, show) => {
      const [first, second] = [await startRun(site, 3), await startRun(site, 6)];
      await show({ runId: first });
      await expectText(page, "2 live");
      await site.runs.as("ada").append(first, [{ eventType: "TOKEN" }]);
      await expectText(page, "3 live");
      await show({ runId: second });
      await expectText(page, "2 live");
      await page.evaluate("view().loadEarlier()");
      await expectText(page, "4 live");
      await vi.waitFor(() => expect(site.openStreams()).toBe(1), { timeout: 30_000 });
      await page.evaluate("view().cancel()");
      await expectText(page, "5 finished");
      expect((await site.runs.as("ada").get(second)).runStatus).toBe("cancelled");
      await show({ runId: first });
      await expectText(page, "2 live");
    }),
);

it.each(FRAMEWORKS)(
  "README: use-store-%s.js follows a list of runs, changes it, loads more, and leaves nothing",
  async (framework) =>
    play(framework, async (site, page, show) => {
      // Before any list: a page keeps the runs that end while it shows one.
      for (let count = 0; count < 51; count += 1)
        await site.runs.as("ada").cancel(await startRun(site, 1, "old"));
      const first = await startRun(site, 3, "tea");
      await startRun(site, 6, "milk");
      await show({ list: { topic: "tea" } });
      await expectText(page, "3 live");
      await site.runs.as("ada").append(first, [{ eventType: "TOKEN" }]);
      await expectText(page, "4 live");
      await startRun(site, 1, "tea");
      await expectText(page, "1,4 live");
      await show({ list: { topic: "milk" } });
      await expectText(page, "6 live");
      await show({ list: { topic: "old" } });
      await expectText(page, `${Array(50).fill(2).join()} live`);
      // The feed shows the newest before the list has said that there are more.
      await vi.waitFor(async () => expect(await page.evaluate("view().hasMore")).toBe(true), {
        timeout: 30_000,
      });
      await page.evaluate("view().loadMore()");
      await expectText(page, `${Array(51).fill(2).join()} live`);
      await vi.waitFor(() => expect(site.openStreams()).toBe(1), { timeout: 30_000 });
    }),
);
