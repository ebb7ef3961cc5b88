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

const VUE = `
import { createApp, h, shallowRef } from "vue";
import { useRun } from "recipe";

const runId = shallowRef(null);
const Run = {
  setup() {
    const run = useRun(runId, { tail: 2 });
    window.run = () => run.value;
    return () => h("p", run.value.events.length + " " + run.value.state);
  },
};
const app = createApp(Run);
app.mount("#root");
window.show = (id) => (runId.value = id);
window.leave = () => app.unmount();
`;

const SVELTE_COMPONENT = `
<script>
  import { useRun } from "recipe";
  let { props } = $props();
  const run = $derived(useRun(props.runId, { tail: 2 }));
  window.run = () => run.current;
</script>
<p>{run.current.events.length} {run.current.state}</p>
`;

/** The state of a rune is in a compiled module. */
const SVELTE_STATE = `
export const props = $state({ runId: null });
`;

const SVELTE = `
import { flushSync, mount, unmount } from "svelte";
import Run from "component";
import { props } from "state";

const app = mount(Run, { target: document.querySelector("#root"), props: { props } });
window.show = (id) => flushSync(() => (props.runId = id));
window.leave = () => unmount(app);
`;

const SOLID = `
import { createSignal } from "solid-js";
import { render } from "solid-js/web";
import h from "solid-js/h";
import { useRun } from "recipe";

const [runId, setRunId] = createSignal(null);
function Run() {
  const run = useRun(runId, { tail: 2 });
  window.run = run;
  return h("p", () => run().events.length + " " + run().state);
}
window.leave = render(() => h(Run), document.querySelector("#root"));
window.show = setRunId;
`;

async function scriptOf(framework: string): Promise<string> {
  const recipe = readSnippet(`use-run-${framework}.js`);
  if (framework === "vue") return bundle(VUE, { modules: { recipe } });
  if (framework === "solid") return bundle(SOLID, { modules: { recipe } });
  return bundle(SVELTE, {
    modules: {
      recipe,
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
async function startRun({ runs }: Site, count: number): Promise<string> {
  const { runId } = await runs.create({ ownerId: "ada" });
  const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
  await runs.append(runId, events);
  return runId;
}

it.each(["vue", "svelte", "solid"])(
  "README: use-run-%s.js follows a run, changes it, loads earlier events, cancels, and leaves nothing",
  async (framework) => {
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
      const show = async (id: string): Promise<unknown> => page.evaluate(`show("${id}")`);
      const [first, second] = [await startRun(site, 3), await startRun(site, 6)];
      await show(first);
      await expectText(page, "2 live");
      await site.runs.append(first, [{ eventType: "TOKEN" }]);
      await expectText(page, "3 live");
      await show(second);
      await expectText(page, "2 live");
      await page.evaluate("run().loadEarlier()");
      await expectText(page, "4 live");
      await vi.waitFor(() => expect(site.openStreams()).toBe(1), { timeout: 30_000 });
      await page.evaluate("run().cancel()");
      await expectText(page, "5 finished");
      expect((await site.runs.get(second)).runStatus).toBe("cancelled");
      await show(first);
      await expectText(page, "2 live");
      await page.evaluate("leave()");
      await vi.waitFor(() => expect(site.openStreams()).toBe(0), { timeout: 30_000 });
      expect(complaints).toEqual([]);
    } finally {
      await context?.close();
      await site.stop();
    }
  },
);
