import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { openBrowser } from "../../../packages/client/test/browser/open-browser.ts";
import { startSite } from "../../../packages/client/test/browser/site.ts";
import type { Owner } from "../../server/test/start-server.ts";

/** The scripts of a page, by their paths. The page loads `/script.js`, and that loads the others. */
export type Scripts = Readonly<Record<string, string>>;

/**
 * Bundles a module with the packages that a project has installed.
 * @param minify whether the scripts are minified, as on a real page; otherwise functions keep their names
 */
export async function bundlePage(project: string, code: string, minify = false): Promise<Scripts> {
  const input = join(project, "script.js");
  await writeFile(input, code);
  const build = await rolldown({
    input,
    cwd: project,
    platform: "browser",
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
    onLog: (level, log, handle) => log.code === "MODULE_LEVEL_DIRECTIVE" || handle(level, log),
  });
  try {
    const { output } = await build.generate({
      format: "esm",
      entryFileNames: "[name].js",
      minify,
      ...(minify && { comments: false }),
    });
    return Object.fromEntries(
      output.flatMap((one) => (one.type === "chunk" ? [[`/${one.fileName}`, one.code]] : [])),
    );
  } finally {
    await build.close();
  }
}

/** A page in Chromium, of a site with a server of runs. `ada` is signed in. */
export interface PackedPage {
  /** Resolves with the value of an expression. @throws Error if the expression rejects */
  run(expression: string): Promise<unknown>;
  /** The code of the scripts that the page has asked for so far. */
  loaded(): string;
}

/** Opens a page of these scripts. It is closed when its owner ends. */
export async function openPage(scripts: Scripts, owner: Owner): Promise<PackedPage> {
  const site = await startSite({ script: scripts["/script.js"] ?? "", scripts });
  owner.onTestFinished(() => site.stop());
  const browser = await openBrowser();
  owner.onTestFinished(() => browser.close());
  const page = await (await browser.open(site.origin)).newPage();
  const paths: string[] = [];
  page.on("request", (request) => paths.push(new URL(request.url()).pathname));
  await page.goto(site.origin);
  return {
    run: (expression) => page.evaluate(expression),
    loaded: () => paths.map((path) => scripts[path] ?? "").join("\n"),
  };
}
