import { parseArgs } from "node:util";
import { type InputAddress, isInputPath, type Replay } from "../replay.ts";
import { Misuse } from "./misuse.ts";

/** The usage of the command, in one line. */
export const USAGE =
  "run-events-conformance MODULE [--profile quick|ci|soak] [--case TEXT] [--clause S4] [--seed N] [--path P] [--json FILE]";

/** The parsed arguments. */
export interface Arguments extends Omit<Values, "seed" | "path"> {
  /** As it was given. */
  readonly module: string;
  readonly seed: number | null;
  /** The input to run alone. */
  readonly replay: InputAddress | null;
}

type Values = Readonly<Partial<Record<keyof typeof OPTIONS, string>>>;

const OPTIONS = {
  profile: { type: "string" },
  /** A part of the names of the cases to run. */
  case: { type: "string" },
  clause: { type: "string" },
  seed: { type: "string" },
  path: { type: "string" },
  json: { type: "string" },
} as const;

/** @throws Misuse with the usage */
export function parseArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parse(joinSeed(argv));
  const [module, ...others] = positionals;
  if (module === undefined || others.length > 0) {
    throw misuse(`Expected one module, got ${positionals.length}.`);
  }
  const seed = values.seed === undefined ? null : parseSeed(values.seed);
  return { ...values, module, seed, replay: parseReplay(seed, values.path) };
}

function parseReplay(seed: number | null, path: string | undefined): InputAddress | null {
  if (path === undefined) return null;
  if (seed === null) throw misuse("Expected --seed with --path. Copy both from the failure.");
  if (!isInputPath(path)) throw misuse(`Expected --path as a failure prints it, got ${path}.`);
  return { seed, path };
}

function parse(argv: readonly string[]): {
  readonly values: Values;
  readonly positionals: readonly string[];
} {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw misuse(error instanceof Error ? error.message : String(error));
  }
}

/** A negative seed looks like an option, and `parseArgs` takes it for one. */
function joinSeed(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf("--seed");
  const seed = argv[at + 1];
  return at === -1 || seed === undefined ? argv : argv.toSpliced(at, 2, `--seed=${seed}`);
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (text === "" || (seed | 0) !== seed)
    throw misuse(`Expected --seed to be an integer of 32 bits, got ${text}.`);
  return seed;
}

function misuse(why: string): Misuse {
  return new Misuse(`${why.replaceAll("\n", " ")} Usage: ${USAGE}`);
}

/** The command that runs an input again, fit for a shell. */
export function replayLine(module: string, { case: name, seed, path }: Replay): string {
  return `To run it again:\n  npx run-events-conformance ${quoted(module)} --case ${quoted(name)} --seed ${seed} --path ${quoted(path)}`;
}

/** Double quotes do for every shell, unless the text has what they do not keep. */
function quoted(text: string): string {
  if (/^[\w./@-]+$/.test(text)) return text;
  return /["`$\\!%]/.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : `"${text}"`;
}
