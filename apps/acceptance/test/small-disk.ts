import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { linesUntil } from "../src/lines-of.ts";
import { makeTempFolder } from "./temp-folder.ts";

/** A file system of its own, seen only by what is started under it. */
export interface SmallDisk {
  readonly folder: string;
  /** A command line under which a process sees it. */
  readonly under: readonly string[];
  /** Runs a command to its end. Rejects if it fails. */
  run(...command: readonly string[]): Promise<void>;
}

/**
 * Mounts a disk of this many bytes in a mount namespace of its own, which Linux gives to root and mostly to any user: nothing
 * of it is left behind when the test ends, however it ends.
 */
export async function mountSmallDisk(bytes: number): Promise<SmallDisk> {
  const folder = await makeTempFolder();
  const asRoot = process.getuid?.() === 0;
  const script = `mount -t tmpfs -o size=${bytes} tmpfs "$0" && echo mounted && exec cat`;
  const holder = spawn(
    "unshare",
    [...(asRoot ? [] : ["--user", "--map-root-user"]), "--mount", "sh", "-c", script, folder],
    // `cat` holds the namespace until its input ends, as it does with this process.
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  onTestFinished(async () => {
    const exited = once(holder, "exit");
    holder.stdin.end();
    await exited;
  });
  await linesUntil(holder, /^mounted$/);
  const under = [
    "nsenter",
    `--target=${holder.pid}`,
    "--mount",
    ...(asRoot ? [] : ["--user", "--preserve-credentials"]),
  ];
  return {
    folder,
    under,
    async run(...command) {
      const [program = "", ...rest] = [...under, ...command];
      const [code] = await once(spawn(program, rest, { stdio: "inherit" }), "exit");
      if (code !== 0) throw new Error(`${command.join(" ")} failed.`);
    },
  };
}
