#!/usr/bin/env node
import { nodeRefusal } from "./node-version.ts";

// Before anything else is loaded: an older Node ends in the middle of it, with a message that says nothing of Node.
const refusal = nodeRefusal(process.versions.node);
if (refusal === null) {
  const { runCommandLine } = await import("./perform.ts");
  process.exitCode = await runCommandLine(process.argv.slice(2), process.env);
} else {
  process.stderr.write(`run-events: ${refusal}\n`);
  process.exitCode = 2;
}
