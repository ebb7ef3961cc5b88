import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { fanout } from "./fanout.ts";
import { following } from "./following.ts";
import { growth } from "./growth.ts";
import { history } from "./history.ts";
import { httpAppend } from "./http-append.ts";
import { latency } from "./latency.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { manyRuns } from "./many-runs.ts";
import { notify } from "./notify.ts";
import { postgresAppend } from "./postgres-append.ts";
import { redisAppend } from "./redis-append.ts";
import { isMet, type Report, type Scale, type Section } from "./report.ts";
import { scroll } from "./scroll.ts";
import { sqliteAppend } from "./sqlite-append.ts";
import { stalled } from "./stalled.ts";
import { formatReport } from "./table.ts";

const SECTIONS: readonly Section[] = [
  sqliteAppend,
  httpAppend,
  fanout,
  following,
  stalled,
  growth,
  postgresAppend,
  notify,
  redisAppend,
  latency,
  manyRuns,
  history,
  scroll,
];
const USAGE = `Usage: pnpm bench [section…] [--quick] [--check] [--json FILE]
Sections: ${SECTIONS.map((section) => section.name).join(", ")}`;
const ROUNDS = 7;
const QUICK_ROUNDS = 2;

interface Order {
  readonly sections: readonly Section[];
  /** Only prove that each section works. */
  readonly quick: boolean;
  /** End with 1 if a target is missed. */
  readonly check: boolean;
  /** Where to write the reports; `undefined` for nowhere. */
  readonly json: string | undefined;
}

/** @throws TypeError for what the usage does not know. */
function readOrder(): Order {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const unknown = positionals.find((name) => !SECTIONS.some((section) => section.name === name));
  if (unknown !== undefined) throw new TypeError(`There is no section called ${unknown}.`);
  const sections = SECTIONS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  return { sections, quick: values.quick, check: values.check, json: values.json };
}

async function run({ sections, quick, check, json }: Order): Promise<void> {
  const scale: Scale = { quick, rounds: quick ? QUICK_ROUNDS : ROUNDS };
  const machine = await describeMachine();
  console.log(formatMachine(machine));
  if (quick) console.log("Quick: this proves that the sections work; the figures say nothing.");
  const reports: Record<string, Report> = {};
  for (const section of sections) {
    console.log(`\n## ${section.name}\n\n${section.question}\n`);
    const report = await section.run(scale);
    reports[section.name] = report;
    console.log(formatReport(report));
  }
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify({ machine, scale, reports }, null, 2)}\n`);
  }
  const missed = Object.entries(reports).flatMap(([name, { targets }]) =>
    targets.filter((target) => !isMet(target)).map((target) => `${name}: ${target.name}`),
  );
  if (check && missed.length > 0) {
    console.error(`\nFalls short:\n${missed.join("\n")}`);
    process.exitCode = 1;
  }
}

function orderOrUsage(): Order | null {
  try {
    return readOrder();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return null;
  }
}

// An interrupted run still removes its files.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const order = orderOrUsage();
if (order === null) process.exitCode = 2;
else await run(order);
