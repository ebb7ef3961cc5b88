import { join } from "node:path";
import { type Child, type startChild, withChildren } from "./child.ts";
import { REPLAY_RUN, REPLAY_SINCE } from "./replay-log.ts";
import type { Replayed, ReplayReader } from "./replay-reader.ts";
import type { ReplayServer } from "./replay-server.ts";
import type { Figure, Report, Scale, Section, Target } from "./report.ts";
import { type Cost, costBetween, costFigures, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";
import { withTempFolder } from "./temp-folder.ts";

/** What a long log costs the server that replays it, by live stream and page by page. */
export const replay: Section = {
  name: "replay",
  question: "What does an event cost the server that replays a log of 100,000?",
  run: (scale) =>
    withTempFolder((folder) => withChildren((start) => measureReplay(scale, folder, start))),
};

const READERS = 50;

/** Where a server listens, and how long its log is. */
interface Subject {
  readonly server: Child<ReplayServer>;
  readonly port: number;
  readonly events: number;
}

async function measureReplay(
  { quick, rounds }: Scale,
  folder: string,
  start: typeof startChild,
): Promise<Report> {
  const events = quick ? 2_000 : 100_000;
  const reader = start<ReplayReader>(new URL("replay-reader.ts", import.meta.url));
  const file = join(folder, "log.db");
  const ours = await open(start<ReplayServer>(new URL("replay-ours.ts", import.meta.url), "sqlite", file, String(events)), events);
  const bare = await open(start<ReplayServer>(new URL("replay-bare.ts", import.meta.url), "sqlite", file), events);
  const seen = new Map<string, Replayed>();

  function check(name: string, replayed: Replayed): void {
    const first = seen.get(name) ?? replayed;
    seen.set(name, first);
    if (first.crc !== replayed.crc) throw new Error(`${name}: not all servers sent the same bytes.`);
  }

  const oursPath = streamPath(REPLAY_RUN);
  const stream = (subject: Subject, path: string, readers = 1) => () => measureStream(reader, subject, path, readers, check);
  const poll = (subject: Subject, path: string) => () => measurePoll(reader, subject, path, check);
  const costs = await takeTurns(rounds, {
    ours: stream(ours, oursPath),
    bare: stream(bare, "/stream"),
    singly: stream(bare, "/singly"),
    oursPoll: poll(ours, `/v1/agent-runs/${REPLAY_RUN}/events`),
    barePoll: poll(bare, "/events"),
  });
  const cpu = cpuMicros(costs.ours);
  const targets: Target[] = [
    { name: "stream, SQLite: ours / bare, CPU", unit: "×", values: ratios(cpu, cpuMicros(costs.bare)), bound: 1.3, kind: "at most" },
    { name: "stream, SQLite: ours / an event at a time, CPU", unit: "×", values: ratios(cpu, cpuMicros(costs.singly)), bound: 0.4, kind: "at most" },
  ];
  const figures: Figure[] = [
    { name: "poll, SQLite: ours / bare, CPU", unit: "×", values: ratios(cpuMicros(costs.oursPoll), cpuMicros(costs.barePoll)) },
    ...Object.entries(costs).flatMap(([name, measured]) => costFigures(name, "event", measured)),
  ];
  return { targets, figures, notes: [...seen].map(([name, r]) => `${name}: ${r.bytes} bytes`) };
}

async function open(server: Child<ReplayServer>, events: number): Promise<Subject> {
  return { server, port: await server.call("listen"), events };
}

async function measureStream(reader: Child<ReplayReader>, { server, port, events }: Subject, path: string, readers: number, check: (name: string, replayed: Replayed) => void): Promise<Cost> {
  const before = await server.call("usage");
  const replayed = await reader.call("stream", { port, path: `${path}?since=${REPLAY_SINCE}`, since: REPLAY_SINCE, last: REPLAY_SINCE + events, readers });
  const cost = costBetween(before, await server.call("usage"), events * readers);
  check(`stream`, replayed);
  return cost;
}

async function measurePoll(reader: Child<ReplayReader>, { server, port, events }: Subject, path: string, check: (name: string, replayed: Replayed) => void): Promise<Cost> {
  const before = await server.call("usage");
  const replayed = await reader.call("poll", { port, path, since: REPLAY_SINCE, last: REPLAY_SINCE + events });
  const cost = costBetween(before, await server.call("usage"), events);
  check(`poll`, replayed);
  return cost;
}
