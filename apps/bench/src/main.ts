import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { chat } from "./chat.ts";
import { dashboard } from "./dashboard.ts";
import { fanout } from "./fanout.ts";
import { feed } from "./feed.ts";
import { idle } from "./idle.ts";
import { httpAppend } from "./http-append.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { neighbours } from "./neighbours.ts";
import { postgresAppend } from "./postgres-append.ts";
import { redisAppend } from "./redis-append.ts";
import { replay } from "./replay.ts";
import { isMet, type Report, type Scale, type Section } from "./report.ts";
import { formatProfiles } from "./profile.ts";
import { writePages, writeResult } from "./results.ts";
import { sqliteAppend } from "./sqlite-append.ts";
import { formatReport } from "./table.ts";
import { tail } from "./tail.ts";
import { tokens } from "./tokens.ts";

const SECTIONS: readonly Section[] = [
  sqliteAppend,
  httpAppend,
  fanout,
  idle,
  postgresAppend,
  redisAppend,
  neighbours,
  replay,
  tail,
  feed,
  tokens,
  dashboard,
  chat,
];
const USAGE = `Usage: pnpm bench [section…] [--quick] [--check] [--out DIR] [--profile DIR]
Sections: ${SECTIONS.map((section) => section.name).join(", ")}`;
const ROUNDS = 7;
const QUICK_ROUNDS = 2;

interface Order {
  readonly sections: readonly Section[];
  /** Only prove that each section works. */
  readonly quick: boolean;
  /** End with 1 if a target is missed. */
  readonly check: boolean;
  /** The folder to write JSON, charts and tables to. */
  readonly out?: string;
  /** The folder to write profiles of every process to, in one folder a section. */
  readonly profile?: string;
}

/** @throws TypeError for what the usage does not know. */
function readOrder(): Order {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      out: { type: "string" },
      profile: { type: "string" },
    },
  });
  const unknown = positionals.find((name) => !SECTIONS.some((section) => section.name === name));
  if (unknown !== undefined) throw new TypeError(`There is no section called ${unknown}.`);
  const sections = SECTIONS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  return { ...values, sections };
}

async function run({ sections, quick, check, out, profile }: Order): Promise<void> {
  const scale: Scale = { quick, rounds: quick ? QUICK_ROUNDS : ROUNDS };
  const machine = await describeMachine();
  console.log(formatMachine(machine));
  if (quick) console.log("Quick: this proves that the sections work; the figures say nothing.");
  const reports: Record<string, Report> = {};
  for (const section of sections) {
    console.log(`\n## ${section.name}\n\n${section.question}\n`);
    const report = await (profile === undefined
      ? section.run(scale)
      : runProfiled(section, scale, resolve(profile, section.name)));
    reports[section.name] = report;
    console.log(formatReport(report));
    if (out !== undefined) {
      const { name, question } = section;
      await writeResult(out, { section: name, question, machine, scale, report });
      await writePages(out);
    }
  }
  const missed = Object.entries(reports).flatMap(([name, { targets }]) =>
    targets.filter((target) => !isMet(target)).map((target) => `${name}: ${target.name}`),
  );
  if (check && missed.length > 0) {
    console.error(`\nFalls short:\n${missed.join("\n")}`);
    process.exitCode = 1;
  }
}

/** Profiled processes are slower, and not alike: the figures of such a run say nothing. */
async function runProfiled(section: Section, scale: Scale, folder: string): Promise<Report> {
  await mkdir(folder, { recursive: true });
  process.env["RUN_EVENTS_PROFILES"] = folder;
  const report = await section.run(scale);
  console.log(await formatProfiles(folder));
  return report;
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
