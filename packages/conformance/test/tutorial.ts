import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** The tutorial's source. */
export const TUTORIAL: URL = new URL("../TUTORIAL.md", import.meta.url);

/** A whole file, a change to one, or commands with what they print. */
const BLOCK =
  /^<!-- snippet: (?<file>\S+) -->\n+```(?<kind>\w+)\n(?<code>.*?)^```$|^```console\n(?<commands>.*?)^```$/gms;

/**
 * Does what the tutorial says, from its first block to its last, in a folder: writes its files, changes them, runs its commands.
 * @returns the tutorial as it has to be: with the output that the commands really have
 */
export async function followTutorial(folder: string): Promise<string> {
  const page = await readFile(TUTORIAL, "utf8");
  let followed = "";
  let end = 0;
  for (const block of page.matchAll(BLOCK)) {
    const { file = "", kind, code = "", commands } = block.groups ?? {};
    followed += page.slice(end, block.index);
    end = block.index + block[0].length;
    if (commands === undefined) {
      const path = join(folder, file);
      await writeFile(path, kind === "diff" ? changed(await readFile(path, "utf8"), code) : code);
      followed += block[0];
    } else {
      followed += `\`\`\`console\n${await runAll(folder, commands)}\`\`\``;
    }
  }
  return followed + page.slice(end);
}

/**
 * A file after a change, whose parts are divided by `@@`.
 * @throws Error if the file has not exactly one place for a part
 */
function changed(file: string, change: string): string {
  return change.split(/^@@\n/m).reduce((before, part) => {
    const lines = part.split("\n").slice(0, -1);
    const side = (other: string): string =>
      lines
        .filter((line) => !line.startsWith(other))
        .map((line) => `${line.slice(1)}\n`)
        .join("");
    const places = before.split(side("+"));
    if (places.length !== 2) throw new Error(`${places.length - 1} places for:\n${part}`);
    return places.join(side("-"));
  }, file);
}

/** The commands of one block, each followed by what it prints. */
async function runAll(folder: string, commands: string): Promise<string> {
  let shown = "";
  for (const [line, args = ""] of commands.matchAll(/^\$ node (.*)\n/gm)) {
    shown += line + (await runNode(folder, args.split(" ")));
  }
  return shown;
}

/**
 * Runs a file of the folder, with its arguments, to its end.
 * @returns what it printed
 * @throws Error with its standard error
 */
async function runNode(folder: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ["-C", "@tm/source", ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [printed, failure] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (failure !== "") throw new Error(failure);
  return printed;
}
