import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { listens } from "../src/listens.ts";

it("servers do not outlive the process that started them, even when it is killed", async () => {
  const owner = spawn(
    process.execPath,
    ["-C", "@tm/source", fileURLToPath(new URL("owner.ts", import.meta.url))],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const gone = once(owner, "exit");
  onTestFinished(() => void owner.kill("SIGKILL"));
  const [line] = (await once(createInterface(owner.stdout), "line")) as [string];
  const { ports, dataFolder } = JSON.parse(line) as {
    readonly ports: readonly number[];
    readonly dataFolder: string;
  };
  expect(await Promise.all(ports.map(listens))).toEqual([true, true]);
  owner.kill("SIGKILL");
  await gone;
  for (const port of ports) await expect.poll(() => listens(port), { timeout: 20_000 }).toBe(false);
  await expect.poll(() => existsSync(dirname(dataFolder)), { timeout: 20_000 }).toBe(false);
});
