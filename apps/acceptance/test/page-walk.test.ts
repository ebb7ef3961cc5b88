import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchChromium } from "../../../packages/client/test/browser/open-browser.ts";
import { ownedByAll } from "../../server/test/start-server.ts";
import { readGuide, startQuickstart, writeClientPage, writeQuickstart } from "./page-quickstart.ts";
import { linesOf, readShownRun, visit } from "./page-visit.ts";
import { runBlock } from "./shell.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const LONG_MS = 300_000;

/** A block with every occurrence of a word replaced by another. */
function withWord(
  block: string,
  written: string | RegExp,
  word: (found: string) => string,
): string {
  const changed = block.replaceAll(written, word);
  if (changed === block) throw new TypeError(`Expected ${String(written)} in: ${block}`);
  return changed;
}

describe("the guides of a page, from an empty folder, with npm and what the guides print", () => {
  const owner = ownedByAll();
  let folder = "";
  /** The folders in which the commands for a clone put the tarballs, and install them. */
  let made = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "run-events-newcomer-"));
    owner.onTestFinished(() => rm(folder, { recursive: true, force: true }));
    made = join(folder, "made");
    const pack = withWord(readGuide("page.md", "pack.sh"), "../my-runs", () => made);
    await runBlock(pack, { cwd: ROOT });
  }, LONG_MS);

  /** Installs the tarballs, in place of the packages of these names. */
  async function install(): Promise<string> {
    const block = readGuide("page.md", "install.sh");
    const tarballOf = (name: string): string =>
      join(made, `${name.replace("@tm/", "tm-")}-0.0.0.tgz`);
    await runBlock(withWord(block, /@tm\/\S+/g, tarballOf), { cwd: folder });
    return join(folder, "my-runs");
  }

  it.each([
    ["a clone", async () => made],
    ["npm", install],
  ])(
    "with the packages from %s: the server, the page, and the client in it",
    async (_from, prepare) => {
      const project = await prepare();
      await writeQuickstart(project);
      const { url } = await startQuickstart(project, { onTestFinished }, [process.execPath]);
      const browser = await launchChromium();
      onTestFinished(() => browser.close());
      const { page, ask, seesEnd } = await visit(browser, url, { onTestFinished });
      await ask("Why?");
      const shown = await seesEnd("completed");
      const { events } = await readShownRun(page);
      expect(shown).toEqual({ status: "completed", events: linesOf(events) });

      await runBlock(readGuide("page-client.md", "bundle.sh"), { cwd: project });
      await writeClientPage(project);
      await page.reload();
      expect(await seesEnd("completed")).toEqual({ ...shown, status: "completed, finished" });
    },
    LONG_MS,
  );
});
