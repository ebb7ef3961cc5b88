import { type Child, startChild } from "./child.ts";
import { FANOUT_RUN, type FanoutServer } from "./fanout-server.ts";
import type { Readers } from "./readers.ts";
import type { Report, Scale, Section } from "./report.ts";
import { type Cost, costBetween, costFigures, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";

const BURST = 10;
type Subject = "ours" | "bare";

/**
 * What one event costs a server that has many live readers on one run, against a node:http handler that keeps the
 * responses and writes a shared buffer to each.
 */
export const fanout: Section = {
  name: "fanout",
  question: "What does a delivery to one of 1,000 live readers cost the server?",
  run: measureFanout,
};

async function measureFanout({ quick, rounds }: Scale): Promise<Report> {
  const count = quick ? 50 : 1_000;
  const publishes = quick ? 5 : 200;
  const readers = startChild<Readers>(new URL("readers.ts", import.meta.url));
  const servers = {
    ours: startChild<FanoutServer>(new URL("fanout-ours.ts", import.meta.url)),
    bare: startChild<FanoutServer>(new URL("fanout-bare.ts", import.meta.url)),
  };
  try {
    for (const group of ["ours", "bare"] as const) {
      const port = await servers[group].call("listen");
      const paths = Array<string>(count).fill(streamPath(FANOUT_RUN));
      await readers.call("connect", { group, port, paths, stalled: false });
    }
    const deliver = (subject: Subject, burst: number) => (): Promise<Cost> =>
      measureDeliveries(servers[subject], readers, { group: subject, publishes, burst, count });
    const costs = await takeTurns(rounds, {
      ours: deliver("ours", 1),
      bare: deliver("bare", 1),
      oursBurst: deliver("ours", BURST),
      bareBurst: deliver("bare", BURST),
    });
    const notes = await Promise.all([verify(readers, "ours"), verify(readers, "bare")]);
    const bare = cpuMicros(costs.bare);
    return {
      targets: [
        {
          name: "single: ours / bare, CPU",
          unit: "×",
          values: ratios(cpuMicros(costs.ours), bare),
          bound: 1.1,
          kind: "at most",
        },
        {
          name: `bursts of ${BURST}: ours / bare single, CPU`,
          unit: "×",
          values: ratios(cpuMicros(costs.oursBurst), bare),
          bound: 0.3,
          kind: "at most",
        },
      ],
      figures: [
        ...costFigures("ours, single", "delivery", costs.ours),
        ...costFigures("bare, single", "delivery", costs.bare),
        ...costFigures(`ours, bursts of ${BURST}`, "delivery", costs.oursBurst),
        ...costFigures(`bare, bursts of ${BURST}`, "delivery", costs.bareBurst),
      ],
      notes,
    };
  } finally {
    await Promise.all([readers.stop(), servers.ours.stop(), servers.bare.stop()]);
  }
}

/** One publish at a time: the next is asked for when every reader has had the last. */
async function measureDeliveries(
  server: Child<FanoutServer>,
  readers: Child<Readers>,
  load: {
    readonly group: Subject;
    readonly publishes: number;
    readonly burst: number;
    readonly count: number;
  },
): Promise<Cost> {
  const { group, publishes, burst, count } = load;
  const before = await server.call("usage");
  for (let published = 0; published < publishes; published++) {
    const sequence = await server.call("publish", burst);
    await readers.call("reach", { group, sequence });
  }
  return costBetween(before, await server.call("usage"), publishes * burst * count);
}

/** @throws unless every reader has had every event once and in order. */
async function verify(readers: Child<Readers>, group: Subject): Promise<string> {
  const { bytes, least, greatest, wrong, open } = await readers.call("received", group);
  if (wrong > 0 || least !== greatest) {
    throw new Error(
      `${group}: ${wrong} events out of order, readers between ${least} and ${greatest}.`,
    );
  }
  return `${group}: ${open} readers had each of ${greatest} events once and in order, ${bytes} bytes.`;
}
