import { parseArgs } from "node:util";
import { JsonText } from "@tm/run-events-core";
import { STATUSES, requests } from "@tm/run-events-core/wire";
import { parseBasePath } from "@tm/run-events-core/wire";
import { readSecretFiles } from "@tm/run-events-server/secret-variables";
import type { RunStatus } from "@tm/run-events-core";

/** The environment variable that holds the token. The variable of this name with `_FILE` names a file that holds it. */
export const TOKEN_VARIABLE = "RUN_EVENTS_TOKEN";

const HOW_TO_GIVE_TOKEN = `set ${TOKEN_VARIABLE}, or ${TOKEN_VARIABLE}_FILE to the name of a file that has the token`;

/** The server, and the user's token. */
interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  /** The path of all runs. @see clause W50 in `WIRE.md` */
  readonly basePath: string;
  readonly token: string;
}

/** A parsed command line. */
export type Command =
  | { readonly name: "help" }
  | { readonly name: "serve" }
  | {
      readonly name: "exec";
      readonly target: Target;
      /** 1,000 to 3,600,000. @see clause W31 in `WIRE.md` */
      readonly leaseMs: number;
      readonly topic: string | null;
      /** Only with a topic. @see clause W35 in `WIRE.md` */
      readonly exclusive: boolean;
      readonly command: readonly [string, ...string[]];
    }
  | {
      readonly name: "tail";
      readonly target: Target;
      readonly runId: string;
      readonly since: number;
      /** This many events before the end, in place of `since`; `null` without it. @see clause W45 in `WIRE.md` */
      readonly tail: number | null;
      readonly json: boolean;
    }
  | {
      readonly name: "list";
      readonly target: Target;
      readonly status: RunStatus | "live" | null;
      readonly topic: string | null;
    }
  | {
      readonly name: "input";
      readonly target: Target;
      readonly runId: string;
      /** With its tokens as they were given. */
      readonly payload: JsonText;
    }
  | { readonly name: "cancel"; readonly target: Target; readonly runId: string };

const OPTIONS = {
  url: { type: "string" },
  /** Known here only so that it can be refused with a hint. */
  token: { type: "string" },
  "base-path": { type: "string" },
  since: { type: "string" },
  tail: { type: "string" },
  status: { type: "string" },
  topic: { type: "string" },
  exclusive: { type: "boolean" },
  lease: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** The commands that ask a server. */
type CommandName = Exclude<Command["name"], "help" | "serve">;

interface Wrong {
  readonly wrong: string;
}

/** The parts of one command's command line, without its name. */
interface Words {
  readonly target: Target;
  readonly operands: readonly string[];
  /** The words after `--`; `null` without it. */
  readonly rest: readonly string[] | null;
  readonly values: Values["values"];
}

const PARSERS: Readonly<Record<CommandName, (words: Words) => Command | Wrong>> = {
  exec({ target, operands, rest, values }) {
    const [file, ...args] = rest ?? [];
    const { lease = "60", exclusive = false } = values;
    const leaseMs = /^\d{1,4}$/.test(lease) ? Number(lease) * 1_000 : 0;
    if (operands.length > 0 || file === undefined)
      return { wrong: "exec expects a command after --, such as: run-events exec -- npm test" };
    if (leaseMs < requests.MIN_LEASE_MS || leaseMs > requests.MAX_LEASE_MS)
      return { wrong: `--lease expects a number of seconds from 1 to 3600, got ${lease}` };
    const topic = readTopic(values.topic);
    if (topic !== null && typeof topic !== "string") return topic;
    if (exclusive && topic === null) return { wrong: "--exclusive expects --topic too" };
    return { name: "exec", target, leaseMs, topic, exclusive, command: [file, ...args] };
  },
  tail({ target, operands, values }) {
    const [runId, ...more] = operands;
    const { since = "0", tail, json = false } = values;
    if (runId === undefined || more.length > 0)
      return { wrong: `tail expects one run id, got ${operands.length}` };
    if (!/^\d{1,15}$/.test(since))
      return { wrong: `--since expects the sequence of an event, or 0, got ${since}` };
    if (tail !== undefined && values.since !== undefined)
      return { wrong: "tail expects --since or --tail, got both" };
    if (tail !== undefined && !(/^[1-9]\d{0,3}$/.test(tail) && Number(tail) <= requests.MAX_TAIL))
      return {
        wrong: `--tail expects a number of events from 1 to ${requests.MAX_TAIL}, got ${tail}`,
      };
    const last = tail === undefined ? null : Number(tail);
    return { name: "tail", target, runId, since: Number(since), tail: last, json };
  },
  list({ target, operands, values }) {
    const status = LISTED.find((known) => known === values.status) ?? null;
    if (operands.length > 0)
      return { wrong: `list expects no argument, got ${operands.join(" ")}` };
    if (status === null && values.status !== undefined)
      return { wrong: `--status expects one of ${LISTED.join(", ")}, got ${values.status}` };
    const topic = readTopic(values.topic);
    if (topic !== null && typeof topic !== "string") return topic;
    return { name: "list", target, status, topic };
  },
  input({ target, operands }) {
    const [runId, text, ...more] = operands;
    if (runId === undefined || text === undefined || more.length > 0)
      return { wrong: `input expects a run id and a JSON value, got ${operands.length} arguments` };
    const payload = parsePayload(text);
    if (payload === null)
      return { wrong: `input expects a JSON value, such as '"yes"' or '{"ok":true}'` };
    return { name: "input", target, runId, payload };
  },
  cancel({ target, operands }) {
    const [runId, ...more] = operands;
    if (runId === undefined || more.length > 0)
      return { wrong: `cancel expects one run id, got ${operands.length}` };
    return { name: "cancel", target, runId };
  },
};

function readTopic(topic: string | undefined): string | null | Wrong {
  if (topic === undefined) return null;
  if (requests.isTopic(topic)) return topic;
  return { wrong: "--topic expects 1 to 200 characters, none of them a control character" };
}

/** The commands of each option that not all commands have. */
const OWNERS: Readonly<Record<string, readonly CommandName[]>> = {
  since: ["tail"],
  tail: ["tail"],
  json: ["tail"],
  lease: ["exec"],
  exclusive: ["exec"],
  status: ["list"],
  topic: ["exec", "list"],
};

const LISTED: readonly (RunStatus | "live")[] = ["live", ...STATUSES];

/**
 * Parses the command line. All words after `--` belong to the command that `exec` runs.
 * @param argv without the program's own name
 * @returns the command, or one line that describes what is wrong
 */
export function parseCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Command | Wrong {
  const dashes = argv.indexOf("--");
  const rest = dashes === -1 ? null : argv.slice(dashes + 1);
  const parsed = parseOptions(rest === null ? argv : argv.slice(0, dashes));
  if ("wrong" in parsed) return parsed;
  const { values, positionals } = parsed;
  const [name, ...operands] = positionals;
  if (values.help === true || name === "help") return { name: "help" };
  if (name === undefined) return { wrong: `expected a command: ${COMMAND_NAMES}` };
  if (name === "serve") return parseServe(operands, rest, values);
  if (!isCommandName(name)) return { wrong: `${name} is not a command: expected ${COMMAND_NAMES}` };
  const foreign = Object.keys(values).find((option) => !(OWNERS[option] ?? [name]).includes(name));
  if (foreign !== undefined)
    return {
      wrong: `${name} has no --${foreign}: only ${(OWNERS[foreign] ?? []).join(" and ")} has it`,
    };
  if (values.token !== undefined)
    return {
      wrong: `${name} has no --token: every user of this machine can read a command line, and so can the command of exec; ${HOW_TO_GIVE_TOKEN}`,
    };
  if (rest !== null && name !== "exec")
    return { wrong: `${name} expects no command after --: only exec runs one` };
  const target = parseTarget(values, env);
  return "wrong" in target ? target : PARSERS[name]({ target, operands, rest, values });
}

const COMMAND_NAMES = "serve, exec, tail, list, input or cancel";

/** The JSON value of a text; `null` if it is not JSON. */
function parsePayload(text: string): JsonText | null {
  try {
    return JsonText.parse(text);
  } catch {
    return null;
  }
}

/** `serve` has no options but environment variables, because every user of the machine could read a secret on a command line. */
function parseServe(
  operands: readonly string[],
  rest: readonly string[] | null,
  values: Values["values"],
): Command | Wrong {
  const [option] = Object.keys(values);
  if (option !== undefined)
    return { wrong: `serve has no --${option}: set it up with environment variables` };
  if (operands.length > 0 || rest !== null)
    return { wrong: "serve expects no argument: set it up with environment variables" };
  return { name: "serve" };
}

function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(PARSERS, name);
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;

function parseOptions(args: readonly string[]): Values | Wrong {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // The first sentence describes the fault; the others are advice on dashes.
    const wrong = error instanceof Error ? (error.message.split(". ", 1)[0] ?? "") : "";
    const isMisplaced = args.includes("exec") && !args.includes("--");
    return { wrong: isMisplaced ? `${wrong}: put -- before the command that exec runs` : wrong };
  }
}

function parseTarget(
  values: Pick<Values["values"], "url" | "base-path">,
  env: Readonly<Record<string, string | undefined>>,
): Target | Wrong {
  const url = values.url ?? env["RUN_EVENTS_URL"] ?? "http://127.0.0.1:8080";
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return {
      wrong:
        "expected the server's URL to be like http://HOST:PORT or https://HOST: check --url or RUN_EVENTS_URL",
    };
  const { username, password } = new URL(url);
  if (username !== "" || password !== "")
    return {
      wrong: `expected the server's URL without a user or password: ${HOW_TO_GIVE_TOKEN}`,
    };
  const basePath = readBasePath(values["base-path"] ?? env["RUN_EVENTS_BASE_PATH"]);
  if (basePath === null)
    return {
      wrong:
        "expected the path of all runs to be like /api/runs: check --base-path or RUN_EVENTS_BASE_PATH",
    };
  const token = readToken(env);
  return "wrong" in token ? token : { url: url.replace(/\/+$/, ""), basePath, ...token };
}

/** `null` for a path that no server can have. @see clause W50 in `WIRE.md` */
function readBasePath(path: string | undefined): string | null {
  try {
    return parseBasePath(path);
  } catch {
    return null;
  }
}

/** The token from the environment, or from the file that the environment names. */
function readToken(
  env: Readonly<Record<string, string | undefined>>,
): Pick<Target, "token"> | Wrong {
  const given = readSecretFiles([TOKEN_VARIABLE], env);
  if ("malformed" in given) return { wrong: given.malformed };
  const token = given.env[TOKEN_VARIABLE];
  if (token === undefined || token === "")
    return {
      wrong: `expected a token: ${HOW_TO_GIVE_TOKEN}; a server prints one when it starts`,
    };
  const source = given.sources.get(TOKEN_VARIABLE) ?? TOKEN_VARIABLE;
  if (!/^[\x21-\x7e]+$/.test(token))
    return { wrong: `${source}: expected a token of visible ASCII characters, without spaces` };
  return { token };
}
