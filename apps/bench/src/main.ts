import { parseArgs } from "node:util";
import { append } from "./append.ts";
import { chat } from "./chat.ts";
import { fanout } from "./fanout.ts";
import { idle } from "./idle.ts";
import { httpAppend } from "./http-append.ts";
import { describeMachine } from "./machine.ts";
import { neighbours } from "./neighbours.ts";
import { replay } from "./replay.ts";
import { isMet, type Scale, type Section } from "./report.ts";
import { formatReport } from "./table.ts";

const SECTIONS: readonly Section[] = [append, httpAppend, fanout, idle, neighbours, replay, chat];
const USAGE = `Usage: pnpm bench [section…] [--quick] [--check]
Sections: ${SECTIONS.map((section) => section.name).join(", ")}`;
const ROUNDS = 7;
const QUICK_ROUNDS = 2;

interface Order {
  readonly sections: readonly Section[];
  /** Only prove that each section works. */
  readonly quick: boolean;
  /** End with 1 if a target is missed. */
  readonly check: boolean;
}

/** @throws TypeError for what the usage does not know. */
function readOrder(): Order {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((name) => !SECTIONS.some((section) => section.name === name));
  if (unknown !== undefined) throw new TypeError(`There is no section called ${unknown}.`);
  const sections = SECTIONS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  return { ...values, sections };
}

/** Prints the report as a page of Markdown. */
async function run({ sections, quick, check }: Order): Promise<void> {
  const scale: Scale = { quick, rounds: quick ? QUICK_ROUNDS : ROUNDS };
  console.log(`# Results\n\n${await describeMachine()}`);
  if (quick) console.log("\nQuick: this proves that the sections work; the figures say nothing.");
  const missed: string[] = [];
  for (const section of sections) {
    console.log(`\n## ${section.name}\n\n${section.question}\n`);
    const report = await section.run(scale);
    console.log(formatReport(report));
    for (const target of report.targets)
      if (!isMet(target)) missed.push(`${section.name}: ${target.name}`);
  }
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
