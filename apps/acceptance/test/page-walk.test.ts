import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { launchChromium } from "../../../packages/client/test/browser/open-browser.ts";
import { readGuide, startQuickstart, writeClientPage, writeQuickstart } from "./page-quickstart.ts";
import { linesOf, readShownRun, visit } from "./page-visit.ts";
import { runBlock } from "./shell.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Runs the commands that make tarballs in a clone. @returns each package's name with its tarball */
async function pack(): Promise<ReadonlyMap<string, string>> {
  await runBlock(readGuide("page.md", "pack.sh"), { cwd: ROOT });
  const files = await readdir(ROOT);
  const tarballs = files.filter((file) => /^tm-run-events-.*\.tgz$/.test(file));
  return new Map(
    tarballs.map((file) => [file.replace(/^tm-(.*)-\d.*$/, "@tm/$1"), join(ROOT, file)]),
  );
}

it("the guides of a page, from an empty folder: tarballs, install, server, page, client", async (test) => {
  const tarballs = await pack();
  test.onTestFinished(async () => {
    for (const file of tarballs.values()) await rm(file, { force: true });
  });
  const cwd = await mkdtemp(join(tmpdir(), "run-events-newcomer-"));
  test.onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const install = readGuide("page.md", "install.sh").replaceAll(/@tm\/\S+/g, (name) => {
    const file = tarballs.get(name);
    if (file === undefined) throw new TypeError(`Expected pack.sh to pack ${name}.`);
    return file;
  });
  await runBlock(install, { cwd });
  const folder = join(cwd, "my-runs");
  await writeQuickstart(folder);
  const { url } = await startQuickstart(folder, test, [process.execPath]);

  const browser = await launchChromium();
  test.onTestFinished(() => browser.close());
  const { page, ask, seesEnd } = await visit(browser, url, test);
  await ask("Why?");
  const shown = await seesEnd("completed");
  const { events } = await readShownRun(page);
  expect(shown).toEqual({ status: "completed", events: linesOf(events) });

  await runBlock(readGuide("page-client.md", "bundle.sh"), { cwd: folder });
  await writeClientPage(folder);
  await page.reload();
  expect(await seesEnd("completed")).toEqual({ ...shown, status: "completed, finished" });
}, 300_000);
