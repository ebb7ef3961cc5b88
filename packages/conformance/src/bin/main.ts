#!/usr/bin/env node
import { parseArguments, USAGE } from "./arguments.ts";
import { chooseCases } from "./choose-cases.ts";
import { createExitWatch } from "./exit-watch.ts";
import { loadOptions } from "./load-options.ts";
import { Misuse } from "./misuse.ts";
import { createFailurePrinter } from "./print-failure.ts";
import { createReport, printReport, type Report } from "./report.ts";
import { requireWritable, writeReport } from "./report-file.ts";
import { runCases } from "./run-cases.ts";

/** Exit codes. 130 is what shells make of Ctrl-C. */
const EXIT = { kept: 0, broken: 1, misuse: 2, interrupted: 130 } as const;

const exit = createExitWatch();

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help")) {
    console.log(`Usage: ${USAGE}`);
    return EXIT.kept;
  }
  const asked = parseArguments(argv);
  exit.about(`before ${asked.module} was loaded`, EXIT.misuse);
  const chosen = chooseCases(asked, await loadOptions(asked.module));
  if (asked.json !== null) requireWritable(asked.json);
  const interrupt = new AbortController();
  // Once: who asks again does not want to wait for the stores to close.
  process.once("SIGINT", () => interrupt.abort(new Error("Interrupted.")));
  const printFailure = createFailurePrinter();
  console.log(`${chosen.store}, profile ${chosen.profile}, seed ${chosen.seed}`);
  for (const line of chosen.leftOut) console.log(line);
  const run = await runCases(chosen, interrupt.signal, {
    onBegin: (name) => exit.about(`amid the case ${name}`, EXIT.broken),
    onReport(report) {
      const said = printFailure(report);
      if (said !== null) console.log(`\n${said}\n`);
    },
  });
  const report = createReport(chosen, run, interrupt.signal.aborted);
  // Before anything of it can fail: a run may have taken hours.
  console.log(printReport(report));
  if (asked.json !== null) writeReport(asked.json, report);
  return codeOf(report);
}

function codeOf({ interrupted, failed }: Report): number {
  if (interrupted) return EXIT.interrupted;
  return failed === 0 ? EXIT.kept : EXIT.broken;
}

function sayMisuse(error: unknown): number {
  if (!(error instanceof Misuse)) throw error;
  console.error(`run-events-conformance: ${error.message}`);
  return EXIT.misuse;
}

async function runAndExit(): Promise<void> {
  const code = await main(process.argv.slice(2)).catch(sayMisuse);
  exit.done();
  // What the author's module holds open, as a pool, ends with the process; what was printed has to be out by then.
  process.stdout.write("", () => process.exit(code));
}

// Not awaited: Node has a code and a warning of its own for a module that comes to no end.
void runAndExit();
