import { parseArgs } from "node:util";
import { append } from "./append.ts";
import { chat } from "./chat.ts";
import { fanout } from "./fanout.ts";
import { httpAppend } from "./http-append.ts";
import { idle } from "./idle.ts";
import { describeMachine } from "./machine.ts";
import { neighbours } from "./neighbours.ts";
import { replay } from "./replay.ts";
import { isMet, type Scale, type Section } from "./report.ts";
import { formatFigures } from "./table.ts";

const SECTIONS: readonly Section[] = [append, httpAppend, fanout, idle, neighbours, replay, chat];
const ROUNDS = 7;
const QUICK_ROUNDS = 2;

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    /** Only prove that each section works. */
    quick: { type: "boolean", default: false },
    /** End with 1 if a target is missed. */
    check: { type: "boolean", default: false },
  },
});
const unknown = names.filter((name) => !SECTIONS.some((section) => section.name === name));
if (unknown.length > 0)
  throw new TypeError(
    `Expected sections of ${SECTIONS.map(({ name }) => name).join(", ")}, got ${unknown.join(", ")}.`,
  );

/** Measures a section and prints it. @returns the targets that it misses */
async function run({ name, question, run: measure }: Section, scale: Scale): Promise<string[]> {
  await using scope = new AsyncDisposableStack();
  const interrupt = (): void => void scope.disposeAsync().finally(() => process.exit(130));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  scope.defer(() => void process.off("SIGINT", interrupt).off("SIGTERM", interrupt));
  console.log(`\n## ${name}\n\n${question}\n`);
  const figures = await measure(scale, scope);
  console.log(formatFigures(figures));
  return figures.filter((figure) => !isMet(figure)).map((figure) => `${name}: ${figure.name}`);
}

const { quick, check } = options;
console.log(`# Results\n\n${await describeMachine()}`);
if (quick) console.log("\nQuick: this proves that the sections work; the figures say nothing.");
const missed: string[] = [];
for (const section of SECTIONS) {
  if (names.length > 0 && !names.includes(section.name)) continue;
  missed.push(...(await run(section, { quick, rounds: quick ? QUICK_ROUNDS : ROUNDS })));
}
if (check && missed.length > 0) {
  console.error(`\nFalls short:\n${missed.join("\n")}`);
  process.exitCode = 1;
}
