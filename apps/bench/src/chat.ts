import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { TOKENS_A_SECOND } from "./chat-load.ts";
import type { Pages, PagesGot } from "./chat-pages.ts";
import type { ChatServer } from "./chat-subjects.ts";
import { type Child, type startChild, withServer } from "./child.ts";
import { joinReports } from "./on-each-store.ts";
import {
  type Figure,
  median,
  type Report,
  type Scale,
  type Section,
  type Target,
} from "./report.ts";
import { type Cost, costBetween, cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { withTempFolder } from "./temp-folder.ts";

/** How many chats have an answer at the same time. The most come first: a server that has been up for a while is compiled. */
const CHATS = [100, 4, 1];
/**
 * How many tokens each answer has that comes before the measured ones, and is not measured itself. While the other servers have their
 * turns, this one has nothing to do, and V8 then drops what it has compiled.
 */
const LEAD_IN_TOKENS = 100;
const OURS = ["ours, SQLite", "ours, Postgres", "ours, Redis"] as const;
const PEERS = ["AI SDK", "resumable-stream"] as const;

type Name = (typeof OURS)[number] | (typeof PEERS)[number];

/** What the answers of a round took. */
interface ChatCost extends Cost, PagesGot {
  readonly rows: number;
}

/** A server under test. */
interface Subject {
  readonly server: Child<ChatServer>;
  readonly port: number;
}

/** What it costs that an answer can be resumed. */
export const chat: Section = {
  name: "chat",
  question: `What does a token of a chat cost at ${TOKENS_A_SECOND} a second, with and without a log?`,
  run: (scale) =>
    withTempFolder((folder) =>
      withServer(startPostgres(), (postgres, start) =>
        withServer(startRedis(), async (redis) => {
          const database = await postgres.createDatabase();
          const subjects = await startSubjects(start, { folder, database, redis: redis.url });
          return measureSubjects(scale, start, subjects);
        }),
      ),
    ),
};

async function startSubjects(
  start: typeof startChild,
  { folder, database, redis }: Readonly<Record<"folder" | "database" | "redis", string>>,
): Promise<ReadonlyMap<Name, Subject>> {
  const module = new URL("chat-subjects.ts", import.meta.url);
  const parameters: Readonly<Record<Name, readonly string[]>> = {
    "AI SDK": ["sdk"],
    "resumable-stream": ["resumable", redis],
    "ours, SQLite": ["ours", "sqlite", join(folder, "log.db")],
    "ours, Postgres": ["ours", "postgres", database],
    "ours, Redis": ["ours", "redis", redis],
  };
  const subjects = new Map<Name, Subject>();
  for (const name of [...PEERS, ...OURS]) {
    const server = start<ChatServer>(module, ...parameters[name]);
    subjects.set(name, { server, port: await server.call("listen") });
  }
  return subjects;
}

async function measureSubjects(
  { quick, rounds }: Scale,
  start: typeof startChild,
  subjects: ReadonlyMap<Name, Subject>,
): Promise<Report> {
  const pages = start<Pages>(new URL("chat-pages.ts", import.meta.url));
  const reports: Report[] = [];
  let asked = 0;
  for (const chats of CHATS) {
    const load = { chats, tokens: quick ? 5 : 200 };
    const leadIn = { chats, tokens: quick ? 1 : LEAD_IN_TOKENS };
    const turns = [...subjects].map(([name, { server, port }]) => {
      async function measureOnce(): Promise<ChatCost> {
        const prefix = `c${++asked}`;
        await pages.call("ask", { ...leadIn, port, prefix: `${prefix}-lead-in` });
        const had = await server.call("rows");
        const before = await server.call("usage");
        const got = await pages.call("ask", { ...load, port, prefix });
        const cost = costBetween(before, await server.call("usage"), chats * load.tokens);
        return { ...cost, ...got, rows: (await server.call("rows")) - had };
      }
      return [name, measureOnce] as const;
    });
    const measured = await takeTurns<Name, ChatCost>(
      rounds,
      Object.fromEntries(turns) as Record<Name, () => Promise<ChatCost>>,
    );
    reports.push(reportOf(measured, chats === 1 ? "a lone chat" : `${chats} chats`, chats));
  }
  return joinReports([
    ...reports,
    {
      targets: [],
      figures: [],
      notes: [
        "Each page got each token of its answer, in order.",
        `Answers of ${LEAD_IN_TOKENS} tokens in as many chats come before those that are measured. They are not counted.`,
        "CPU is of the process that answers. The CPU of Redis and of Postgres is not in it.",
        "The recipe of resumable-stream also has a store of messages, which is not in its figures. In ours, messages are in the log.",
      ],
    },
  ]);
}

function reportOf(
  measured: Readonly<Record<Name, readonly ChatCost[]>>,
  where: string,
  chats: number,
): Report {
  const targets = OURS.flatMap((name): Target[] => {
    const ours = measured[name];
    const over = (peer: Name, bound: number): Target => ({
      name: `${where}: ${name} / ${peer}, CPU`,
      unit: "×",
      values: ratios(cpuMicros(ours), cpuMicros(measured[peer])),
      bound,
      kind: "at most",
    });
    return [
      over("resumable-stream", 1),
      ...(chats === 100 ? [over("AI SDK", 1.25)] : []),
      { ...rowsOf(`${where}: ${name}`, ours), bound: 0.1, kind: "at most" },
      ...(chats === 1 ? [laterTarget(where, name, ours, measured["AI SDK"])] : []),
    ];
  });
  const figures = [...PEERS, ...OURS].flatMap((name): Figure[] =>
    figuresOf(`${where}: ${name}`, measured[name]),
  );
  return { targets, figures, notes: [] };
}

/** How much later than with the AI SDK's own response the first token comes. */
function laterTarget(
  where: string,
  name: Name,
  ours: readonly ChatCost[],
  sdk: readonly ChatCost[],
): Target {
  const values = ours.map(
    (cost, round) => median(cost.firstTokenMs) - median(sdk[round]?.firstTokenMs ?? []),
  );
  return {
    name: `${where}: ${name}, first token later than AI SDK`,
    unit: "ms",
    values,
    bound: 5,
    kind: "at most",
  };
}

function rowsOf(name: string, costs: readonly ChatCost[]): Figure {
  return {
    name: `${name}, rows`,
    unit: "/token",
    values: costs.map(({ rows, units }) => rows / units),
  };
}

function figuresOf(name: string, costs: readonly ChatCost[]): Figure[] {
  return [
    cpuFigure(name, "token", costs),
    {
      name: `${name}, sent to the page`,
      unit: "B/token",
      values: costs.map(({ bytes, units }) => bytes / units),
    },
    {
      name: `${name}, first token`,
      unit: "ms",
      values: costs.map(({ firstTokenMs }) => median(firstTokenMs)),
    },
  ];
}
