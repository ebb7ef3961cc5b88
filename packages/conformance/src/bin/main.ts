#!/usr/bin/env node
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { parseArguments, USAGE } from "./arguments.ts";
import { createFailurePrinter } from "./failure-printer.ts";
import { chooseCases } from "./choose-cases.ts";
import { loadOptions } from "./load-options.ts";
import { Misuse, orMisuse } from "./misuse.ts";
import { createReport, printReport, type Report } from "./report.ts";
import { type CaseReport, runCases } from "./run-cases.ts";

/** Exit codes. 130 is what shells make of Ctrl-C. */
const EXIT = { kept: 0, broken: 1, misuse: 2, interrupted: 130 } as const;

/** The step that is under way, and the exit code if the process ends meanwhile, for example if a store calls `process.exit`. */
let underWay: { readonly what: string; readonly code: number } | null = null;
process.on("exit", () => {
  if (underWay === null) return;
  // Written by the descriptor, at once: a stream would have to wait, and the process ends.
  writeSync(2, `run-events-conformance: The process ended ${underWay.what}.\n`);
  process.exitCode = underWay.code;
});

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help")) {
    console.log(`Usage: ${USAGE}`);
    return EXIT.kept;
  }
  const asked = parseArguments(argv);
  underWay = { what: `before ${asked.module} was loaded`, code: EXIT.misuse };
  const chosen = chooseCases(asked, await loadOptions(asked.module));
  // Leaves what is in the file, and makes it if it is not there.
  intoFile(asked.json, (file) => closeSync(openSync(file, "a")));
  const interrupt = new AbortController();
  // Once: who asks again does not want to wait for the stores to close.
  process.once("SIGINT", () => interrupt.abort(new Error("Interrupted.")));
  const printFailure = createFailurePrinter();
  console.log(`${chosen.store}, profile ${chosen.profile}, seed ${chosen.seed}`);
  for (const line of chosen.leftOut) console.log(line);
  const reports: CaseReport[] = [];
  const running = runCases(chosen, interrupt.signal, (name) => {
    underWay = { what: `amid the case ${name}`, code: EXIT.broken };
  });
  for await (const one of running) {
    reports.push(one);
    const said = printFailure(one);
    if (said !== null) console.log(`\n${said}\n`);
  }
  const report = createReport(chosen, reports, interrupt.signal.aborted);
  // Before anything of it can fail: a run may have taken hours.
  console.log(printReport(report));
  intoFile(asked.json, (file) => writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`));
  return codeOf(report);
}

/** @throws Misuse if the file cannot be written */
function intoFile(file: string | undefined, write: (file: string) => void): void {
  if (file !== undefined) orMisuse(() => write(file), `${file} cannot be written: `);
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
  underWay = null;
  // Pools and the like that the author's module holds open end with the process; all output has to be written by then.
  process.stdout.write("", () => process.exit(code));
}

// Not awaited: Node has a code and a warning of its own for a module that comes to no end.
void runAndExit();
