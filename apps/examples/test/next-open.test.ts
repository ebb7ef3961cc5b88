import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunEvents } from "@tm/run-events-core";
import { expect, it, onTestFinished, vi } from "vitest";

/** The exports of the recipe's `lib/run-events.js`. */
interface Opener {
  openRunEvents(): Promise<{ readonly runs: RunEvents }>;
}

it("the recipe for Next.js opens the log once, and at a later request if it could not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "run-events-next-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  vi.stubEnv("DATABASE", join(folder, "later", "runs.db"));
  onTestFinished(() => void vi.unstubAllEnvs());
  const { href } = new URL("../src/next/lib/run-events.js", import.meta.url);
  const { openRunEvents } = (await import(href)) as Opener;
  await expect(openRunEvents()).rejects.toThrow("directory does not exist");
  await mkdir(join(folder, "later"));
  const [one, other] = await Promise.all([openRunEvents(), openRunEvents()]);
  expect(other).toBe(one);
  await one.runs.close();
});
