#!/usr/bin/env node
import { writeFileSync } from "node:fs";
import { parseArguments } from "./arguments.ts";
import { chooseCases } from "./choose-cases.ts";
import { loadOptions } from "./load-options.ts";
import { Misuse } from "./misuse.ts";
import { createReport, printReport } from "./report.ts";
import { runCases } from "./run-cases.ts";

/** Exit codes. 130 is what shells make of Ctrl-C. */
const EXIT = { kept: 0, broken: 1, misuse: 2, interrupted: 130 } as const;

async function main(argv: readonly string[]): Promise<number> {
  const asked = parseArguments(argv);
  const chosen = chooseCases(asked, await loadOptions(asked.module));
  const interrupt = new AbortController();
  // Once: who asks again does not want to wait for the stores to close.
  process.once("SIGINT", () => interrupt.abort(new Error("Interrupted.")));
  console.log(`${chosen.store}, profile ${chosen.profile}, seed ${chosen.seed}`);
  const reports = await runCases(chosen.cases, interrupt.signal, ({ failure }) => {
    if (failure !== null) console.log(`\n${failure.message}\n`);
  });
  const report = createReport(chosen, reports, interrupt.signal.aborted);
  if (asked.json !== null) writeFileSync(asked.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(printReport(report));
  if (report.interrupted) return EXIT.interrupted;
  return report.failed === 0 ? EXIT.kept : EXIT.broken;
}

function sayMisuse(error: unknown): number {
  if (!(error instanceof Misuse)) throw error;
  console.error(`run-events-conformance: ${error.message}`);
  return EXIT.misuse;
}

const code = await main(process.argv.slice(2)).catch(sayMisuse);
// What the author's module holds open, as a pool, ends with the process; what was printed has to be out by then.
process.stdout.write("", () => process.exit(code));
