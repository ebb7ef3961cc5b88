import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { it } from "vitest";

it("leaves a process behind that holds the worker's output", () => {
  const script = fileURLToPath(new URL("stays.ts", import.meta.url));
  spawn(process.execPath, [script, "--token=a-secret"], { stdio: "inherit" });
});
