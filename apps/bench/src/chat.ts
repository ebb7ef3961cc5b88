import { startChild } from "./child.ts";
import type { Pages, PagesGot } from "./chat-pages.ts";
import { TOKENS_A_SECOND } from "./chat-load.ts";
import type { ChatServer } from "./chat-subjects.ts";
import { startStores } from "./on-each-store.ts";
import { type Figure, median, type Scale, type Section } from "./report.ts";
import { type Cost, costOf, cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";

/** The number of chats that have an answer at the same time. The most come first, so that V8 has compiled the server before the small loads. */
const CHATS = [100, 4, 1];
/**
 * The number of tokens in each answer that comes before the measured ones, and is not measured itself. While the other servers have their
 * turns, this one has nothing to do, and V8 then drops what it has compiled.
 */
const LEAD_IN_TOKENS = 100;
const OURS = ["ours, SQLite", "ours, Postgres", "ours, Redis"] as const;
const PEERS = ["AI SDK", "resumable-stream"] as const;

type Name = (typeof OURS)[number] | (typeof PEERS)[number];

/** The cost of the answers of a round. */
interface ChatCost extends Cost, PagesGot {
  readonly rows: number;
}

/** Measures the cost of answers that can be resumed. */
export const chat: Section = {
  name: "chat",
  question: `What does a token of a chat cost at ${TOKENS_A_SECOND} a second, with and without a log?`,
  run: measureChats,
};

async function measureChats(
  { quick, rounds }: Scale,
  scope: AsyncDisposableStack,
): Promise<readonly Figure[]> {
  const { sqlite, postgres, redis } = await startStores(scope);
  const parameters: Readonly<Record<Name, readonly string[]>> = {
    "AI SDK": ["sdk"],
    "resumable-stream": ["resumable", redis],
    "ours, SQLite": ["ours", "sqlite", sqlite],
    "ours, Postgres": ["ours", "postgres", postgres],
    "ours, Redis": ["ours", "redis", redis],
  };
  const pages = startChild<Pages>(scope, new URL("chat-pages.ts", import.meta.url));
  const figures: Figure[] = [];
  const turns = {} as Record<Name, () => Promise<ChatCost>>;
  let chats = 0;
  let asked = 0;
  for (const name of [...PEERS, ...OURS]) {
    const server = startChild<ChatServer>(
      scope,
      new URL("chat-subjects.ts", import.meta.url),
      parameters[name],
    );
    const port = await server.call("listen");
    turns[name] = async () => {
      const prefix = `c${++asked}`;
      const leadIn = { chats, tokens: quick ? 1 : LEAD_IN_TOKENS };
      const load = { chats, tokens: quick ? 5 : 200 };
      await pages.call("ask", { ...leadIn, port, prefix: `${prefix}-lead-in` });
      const had = await server.call("rows");
      let got: PagesGot = { firstTokenMs: [], bytes: 0 };
      const cost = await costOf(server, chats * load.tokens, async () => {
        got = await pages.call("ask", { ...load, port, prefix });
      });
      return { ...cost, ...got, rows: (await server.call("rows")) - had };
    };
  }
  for (chats of CHATS) {
    const measured = await takeTurns<Name, ChatCost>(rounds, turns);
    figures.push(...figuresOf(measured, chats));
  }
  return figures;
}

function figuresOf(
  measured: Readonly<Record<Name, readonly ChatCost[]>>,
  chats: number,
): readonly Figure[] {
  const where = chats === 1 ? "a lone chat" : `${chats} chats`;
  const targets = OURS.flatMap((name): Figure[] => {
    const over = (peer: Name, atMost: number): Figure => ({
      name: `${where}: ${name} / ${peer}, CPU`,
      unit: "×",
      values: ratios(cpuMicros(measured[name]), cpuMicros(measured[peer])),
      atMost,
    });
    return [
      over("resumable-stream", 1),
      ...(chats === 100 ? [over("AI SDK", 1.25)] : []),
      {
        name: `${where}: ${name}, rows`,
        unit: "/token",
        values: measured[name].map(({ rows, units }) => rows / units),
        atMost: 0.1,
      },
      ...(chats === 1 ? [laterThanSdk(name, measured)] : []),
    ];
  });
  const figures = [...PEERS, ...OURS].flatMap((name): Figure[] => [
    cpuFigure(`${where}: ${name}`, "token", measured[name]),
    {
      name: `${where}: ${name}, sent to the page`,
      unit: "B/token",
      values: measured[name].map(({ bytes, units }) => bytes / units),
    },
    { name: `${where}: ${name}, first token`, unit: "ms", values: firstTokens(measured[name]) },
  ]);
  return [...targets, ...figures];
}

/** The delay of the first token, compared with the AI SDK's own response. */
function laterThanSdk(name: Name, measured: Readonly<Record<Name, readonly ChatCost[]>>): Figure {
  const sdk = firstTokens(measured["AI SDK"]);
  return {
    name: `a lone chat: ${name}, first token later than AI SDK`,
    unit: "ms",
    values: firstTokens(measured[name]).map((ms, round) => ms - (sdk[round] ?? Number.NaN)),
    atMost: 5,
  };
}

function firstTokens(costs: readonly ChatCost[]): readonly number[] {
  return costs.map(({ firstTokenMs }) => median(firstTokenMs));
}
