import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort } from "@tm/run-events-test-servers";
import type { Owner } from "../../server/test/start-server.ts";
import { linesUntil } from "../src/lines-of.ts";
import { readSnippet } from "../src/snippets.ts";

const GUIDES = new URL("../../../docs/guides/", import.meta.url);

/** A block of a guide. */
export function readGuide(page: string, name: string): string {
  return readSnippet(new URL(page, GUIDES), name);
}

/** The server of the page's guide, in a process of its own. */
export interface Quickstart {
  readonly url: string;
  /** All that it has printed on standard error. */
  complaints(): string;
}

/** A folder inside the workspace, so that the packages resolve as they do for a user. It goes with its owner. */
export async function makeSnippetFolder(owner: Owner): Promise<string> {
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  owner.onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Saves the server and the page of the guide in a folder, as they are printed. */
export async function writeQuickstart(folder: string): Promise<void> {
  for (const name of ["quickstart.mjs", "index.html"])
    await writeFile(join(folder, name), readGuide("page.md", name));
}

/** Puts the client's script in place of the page's own, as its guide says. */
export async function writeClientPage(folder: string): Promise<void> {
  const page = readGuide("page.md", "index.html");
  const parts = page.split(/^ *<script type="module">\n.*?<\/script>\n/ms);
  if (parts.length !== 2) throw new TypeError("Expected the page to have one module.");
  await writeFile(
    join(folder, "index.html"),
    parts.join(readGuide("page-client.md", "client.html")),
  );
}

/**
 * Starts the guide's server and waits until it listens. It is killed when its owner ends.
 * @param node Node's program, and its flags
 */
export async function startQuickstart(
  folder: string,
  owner: Owner,
  node: readonly string[] = [process.execPath, "-C", "@tm/source"],
): Promise<Quickstart> {
  const [program = "", ...flags] = node;
  const port = `${await findFreePort()}`;
  const child = spawn(program, [...flags, "quickstart.mjs", port], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  owner.onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let complaints = "";
  child.stderr.on("data", (bytes: Buffer) => (complaints += bytes.toString()));
  const lines = await linesUntil(child, /^http:/).catch((cause: unknown) => {
    throw new Error(`The quickstart did not start: ${complaints}`, { cause });
  });
  return { url: lines.at(-1) ?? "", complaints: () => complaints };
}
