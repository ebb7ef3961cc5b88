import type { BrowserContext, Page } from "playwright-core";
import type { ChatSite } from "./site.ts";
import { HALF, WORDS } from "./model.mjs";

/** The time that a page has for what it should show, in milliseconds. */
const PATIENCE_MS = 30_000;

const WHOLE = WORDS.join(" ");
/** The text at which the model waits: its last word is cut. */
const PART = `${WORDS.slice(0, HALF).join(" ")} wor`;

/** A scene of a chat. `play` throws an error that names what was expected and did not come. */
export interface Scene {
  readonly name: string;
  readonly play: (stage: Stage) => Promise<void>;
}

/** The parts of a page that scenes check. */
interface Shown {
  readonly status: string;
  readonly questions: readonly string[];
  readonly answers: readonly string[];
  readonly files: readonly string[];
  readonly failure: string;
}

/** Tabs of one browser that show one chat. */
export class Stage {
  readonly site: ChatSite;
  readonly #context: BrowserContext;
  readonly #chatId = crypto.randomUUID();

  constructor(site: ChatSite, context: BrowserContext) {
    this.site = site;
    this.#context = context;
  }

  /** Opens the chat in a tab, at the server with this number. */
  async openTab(server: number): Promise<Tab> {
    const page = await this.#context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${this.site.origin(server)}/chat/${this.#chatId}`, { waitUntil: "commit" });
    await page.waitForSelector("main");
    return new Tab(page);
  }

  /** A tab of the first server with half an answer, which waits. */
  async openHalf(): Promise<Tab> {
    const tab = await this.openTab(0);
    await tab.send("wait");
    await tab.expect("half an answer", ({ answers }) => answers.at(-1) === PART);
    return tab;
  }
}

/** A tab that shows the chat. */
export class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async send(question: string): Promise<void> {
    await this.page.fill("input", question);
    await this.page.click("#send");
  }

  /** Waits until the page shows this. */
  async expect(what: string, check: (shown: Shown) => boolean): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    let shown: Shown | null = null;
    do {
      shown = await this.#read();
      if (shown !== null && check(shown)) return;
      await this.page.waitForTimeout(50);
    } while (performance.now() < giveUpAt);
    throw new Error(`Expected ${what}, got ${JSON.stringify(shown).slice(0, 600)}`);
  }

  async expectWhole(): Promise<void> {
    await this.expect(
      "the whole answer, once",
      ({ status, answers }) => status === "ready" && answers.join() === WHOLE,
    );
  }

  /** The part is kept, and is not taken for the whole. */
  async expectPart(): Promise<void> {
    await this.expect(
      "the part, and why it is one",
      ({ answers, failure }) => answers.join() === PART && failure !== "",
    );
  }

  async reload(): Promise<void> {
    await this.page.reload({ waitUntil: "commit" });
    await this.page.waitForSelector("main");
  }

  async #read(): Promise<Shown | null> {
    return this.page.evaluate(() => {
      const { document } = globalThis as unknown as { readonly document: PageDocument };
      const main = document.querySelector("main");
      if (main === null) return null;
      const textsOf = (selector: string): string[] =>
        [...document.querySelectorAll(selector)].map(({ textContent }) => textContent ?? "");
      return {
        status: main.getAttribute("data-status") ?? "",
        questions: textsOf(".user"),
        answers: textsOf(".assistant"),
        files: textsOf(".file"),
        failure: textsOf("#failure").join(""),
      };
    });
  }
}

/** The parts of a page's document that are used here. */
interface PageDocument {
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}
interface PageElement {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
}

async function untilModelRests(site: ChatSite): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (await site.isModelRunning()) {
    if (performance.now() > giveUpAt)
      throw new Error("Expected the model to end, got one that still answers.");
  }
}

/** A fresh tab has what there was, and the chat goes on. */
async function expectGoesOn(stage: Stage): Promise<void> {
  const fresh = await stage.openTab(0);
  await fresh.expectPart();
  await fresh.send("and");
  await fresh.expect("an answer to the next question", ({ answers }) => answers.at(-1) === WHOLE);
}

/** The scenes, by the names that the docs give them. The first three are played in every tier. */
export const SCENES: readonly Scene[] = [
  {
    name: "a reload in mid-answer",
    async play(stage) {
      const tab = await stage.openHalf();
      await tab.reload();
      await tab.expect("the part", ({ answers }) => answers.join() === PART);
      await stage.site.goOn();
      await tab.expectWhole();
    },
  },
  {
    name: "a second tab, open and idle before",
    async play(stage) {
      const second = await stage.openTab(1);
      const first = await stage.openHalf();
      await second.expect("the question", ({ questions }) => questions.join() === "wait");
      await stage.site.goOn();
      await first.expectWhole();
      await second.expectWhole();
    },
  },
  {
    name: "a stop from another tab",
    async play(stage) {
      const first = await stage.openHalf();
      const second = await stage.openTab(1);
      await second.expect("the part", ({ answers }) => answers.join() === PART);
      await second.page.click("#stop");
      await untilModelRests(stage.site);
      for (const tab of [first, second]) {
        await tab.expect("no answer under way", ({ status }) => status === "ready");
        await tab.reload();
        await tab.expect("the part", ({ answers }) => answers.join() === PART);
      }
    },
  },
  {
    name: "a second tab, opened in mid-answer",
    async play(stage) {
      const first = await stage.openHalf();
      const second = await stage.openTab(1);
      await second.expect("the part", ({ answers }) => answers.join() === PART);
      await stage.site.goOn();
      await first.expectWhole();
      await second.expectWhole();
    },
  },
  {
    name: "`kill -9`: the open tab",
    async play(stage) {
      const tab = await stage.openHalf();
      await stage.site.replace(0, "SIGKILL");
      await tab.expectPart();
    },
  },
  {
    name: "`kill -9`: a fresh tab, and the next question",
    async play(stage) {
      await stage.openHalf();
      await stage.site.replace(0, "SIGKILL");
      await expectGoesOn(stage);
    },
  },
  {
    name: "a deploy (`SIGTERM`) in mid-answer",
    async play(stage) {
      const tab = await stage.openHalf();
      await stage.site.replace(0, "SIGTERM");
      await tab.expectPart();
      await expectGoesOn(stage);
    },
  },
  {
    name: "the network is cut in mid-word",
    async play(stage) {
      const tab = await stage.openHalf();
      await stage.site.part();
      await stage.site.goOn();
      await untilModelRests(stage.site);
      stage.site.join();
      await tab.expectWhole();
    },
  },
  {
    name: "a reload after the end",
    async play(stage) {
      const tab = await stage.openTab(0);
      await tab.send("say");
      await tab.expectWhole();
      await tab.reload();
      await tab.expectWhole();
    },
  },
  {
    name: "9 tabs over HTTP/1.1, and a stop",
    async play(stage) {
      const tabs = [await stage.openHalf()];
      while (tabs.length < 9) tabs.push(await stage.openTab(0));
      for (const tab of tabs) {
        await tab.expect("the part", ({ answers }) => answers.join() === PART);
      }
      await tabs.at(-1)?.page.click("#stop");
      await untilModelRests(stage.site);
    },
  },
  {
    name: "an error of the provider, and a reload",
    async play(stage) {
      const tab = await stage.openTab(0);
      await tab.send("fail");
      await tab.expectPart();
      await tab.expect("a masked error", ({ failure }) => !failure.includes("key@"));
      await tab.reload();
      await tab.expectPart();
    },
  },
  {
    name: "an image of 2 MB",
    async play(stage) {
      const tab = await stage.openTab(0);
      await tab.send("image");
      const hasFile = ({ status, files }: Shown): boolean =>
        status === "ready" && files.length === 1 && Number(files[0]) > 2_000_000;
      await tab.expect("the image", hasFile);
      await tab.reload();
      await tab.expect("the image", hasFile);
    },
  },
];
