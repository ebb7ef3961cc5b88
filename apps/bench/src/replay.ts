import { type Child, startChild } from "./child.ts";
import { measureOnEachStore } from "./on-each-store.ts";
import type { Readers } from "./readers.ts";
import type { Figure, Scale, Section } from "./report.ts";
import { type Cost, costOf, cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { runIdOf } from "./run-ids.ts";
import { STORE_TITLES, type StoreKind } from "./stores.ts";
import { streamPath, type TestedServer } from "./tested-server.ts";

/** Measures the cost, to the server, of replaying a long log, by live stream and page by page. */
export const replay: Section = {
  name: "replay",
  question: "What does an event cost the server that replays a log of 100,000?",
  run: (scale, scope) =>
    measureOnEachStore(
      scope,
      ["sqlite", "memory", "postgres", "redis"],
      (processes, store, location) => measureStore(scale, processes, store, location),
    ),
};

/** Replays a log from one store, by one reader and by many, and one like it from an array, an event at a time. */
async function measureStore(
  { quick, rounds }: Scale,
  scope: AsyncDisposableStack,
  store: StoreKind,
  location: string,
): Promise<readonly Figure[]> {
  const last = quick ? 2_000 : 100_000;
  const many = quick ? { count: 5, events: 500 } : { count: 50, events: 10_000 };
  const readers = startChild<Readers>(scope, new URL("readers.ts", import.meta.url));
  const ours = await start(scope, "ours", store, location, String(last));
  const singly = await start(scope, "singly", String(last));
  const path = streamPath(runIdOf(0));
  const costs = await takeTurns(rounds, {
    ours: () => stream(ours, readers, { path, since: 0, last, count: 1 }),
    singly: () => stream(singly, readers, { path, since: 0, last, count: 1 }),
    pages: () => costOf(ours.server, last, () => readPages(ours.port, last)),
    together: () =>
      stream(ours, readers, { path, since: last - many.events, last, count: many.count }),
  });
  const name = STORE_TITLES[store];
  const ratioOf = (title: string, over: readonly Cost[], under: readonly Cost[]): Figure => ({
    name: `${name}: ${title}, CPU`,
    unit: "×",
    values: ratios(cpuMicros(over), cpuMicros(under)),
  });
  const singleRatio = ratioOf("stream, ours / an event at a time", costs.ours, costs.singly);
  return [
    // SQLite's rows cost the server's own process; the others' are another's, and their drivers' way to it is most of the rest.
    store === "sqlite" ? { ...singleRatio, atMost: 0.5 } : singleRatio,
    ratioOf(`a delivery to ${many.count} at once / to one`, costs.together, costs.ours),
    cpuFigure(`${name}: stream`, "event", costs.ours),
    cpuFigure(`${name}: stream, an event at a time`, "event", costs.singly),
    cpuFigure(`${name}: pages`, "event", costs.pages),
    cpuFigure(`${name}: stream to ${many.count} at once`, "delivery", costs.together),
  ];
}

interface Subject {
  readonly server: Child<TestedServer>;
  readonly port: number;
}

async function start(
  scope: AsyncDisposableStack,
  ...parameters: readonly string[]
): Promise<Subject> {
  const server = startChild<TestedServer>(
    scope,
    new URL("replay-subjects.ts", import.meta.url),
    parameters,
  );
  return { server, port: await server.call("listen") };
}

/** The part of a log that is read, and the number of readers at once. */
interface Reading {
  readonly path: string;
  /** The cursor that it starts after, and the sequence that it ends with. */
  readonly since: number;
  readonly last: number;
  readonly count: number;
}

function stream(
  { server, port }: Subject,
  readers: Child<Readers>,
  { path, since, last, count }: Reading,
): Promise<Cost> {
  const paths = Array<string>(count).fill(`${path}?since=${since}`);
  return costOf(server, (last - since) * count, async () => {
    await readers.call("connect", { group: "all", port, paths });
    await readers.call("reach", { group: "all", sequence: last });
    await readers.call("leave", "all");
  });
}

/** Asks for one page after the other, until there is no more. @throws unless each event is there, once and in order */
async function readPages(port: number, last: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/v1/agent-runs/${runIdOf(0)}/events`;
  let end = 0;
  for (let hasMore = true; hasMore;) {
    const answer = await fetch(`${url}?since=${end}`);
    const page = (await answer.json()) as {
      readonly events: readonly { readonly sequence: number }[];
      readonly hasMore: boolean;
    };
    for (const { sequence } of page.events) {
      end += 1;
      if (sequence !== end) throw new Error(`Expected ${end}, got ${sequence}.`);
    }
    ({ hasMore } = page);
  }
  if (end !== last) throw new Error(`The pages end at ${end} of ${last}.`);
}
