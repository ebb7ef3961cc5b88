#!/usr/bin/env node
import { nodeRefusal } from "./node-version.ts";

// Nothing else is loaded before this check. An older Node would fail while loading, with a message that does not mention Node.
const refusal = nodeRefusal(process.versions.node);
if (refusal === null) {
  const { runCommandLine } = await import("./perform.ts");
  process.exitCode = await runCommandLine(process.argv.slice(2), process.env);
} else {
  process.stderr.write(`run-events: ${refusal}\n`);
  process.exitCode = 2;
}
