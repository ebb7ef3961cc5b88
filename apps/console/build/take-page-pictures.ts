import { join } from "node:path";
import { findChromium } from "@tm/run-events-test-servers";
import { chromium } from "playwright-core";
import {
  makeSnippetFolder,
  startQuickstart,
  writeQuickstart,
} from "../../acceptance/test/page-quickstart.ts";

/** The pictures of the page that its guide makes: `pnpm pictures` in this folder takes them again. */
const PICTURES = join(import.meta.dirname, "../../../docs/images");

const ends: (() => Promise<void> | void)[] = [];
const owner = { onTestFinished: (end: () => Promise<void> | void) => void ends.push(end) };
try {
  const folder = await makeSnippetFolder(owner);
  await writeQuickstart(folder);
  const { url } = await startQuickstart(folder, owner);
  const browser = await chromium.launch({ executablePath: findChromium(), chromiumSandbox: false });
  ends.push(() => browser.close());
  for (const colorScheme of ["light", "dark"] as const) {
    const viewport = { width: 640, height: 340 };
    const page = await (await browser.newContext({ colorScheme, viewport })).newPage();
    await page.goto(url);
    await page.getByRole("button", { name: "Start a run" }).click();
    await page.locator("#events li:nth-child(8)").waitFor();
    await page.screenshot({ path: join(PICTURES, `page-${colorScheme}.png`) });
  }
} finally {
  for (const end of ends.toReversed()) await end();
}
