import type { startChild } from "./child.ts";
import { REPLAY_RUN, REPLAY_SINCE } from "./replay-log.ts";
import type { ReplayReader } from "./replay-reader.ts";
import type { ReplayServer } from "./replay-subjects.ts";
import { measureReadings, openSubject, type Reading } from "./replay-readings.ts";
import type { Figure, Report, Scale } from "./report.ts";
import { type Cost, cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";
import { STORE_TITLES, type StoreKind } from "./stores.ts";

/** Replays a log from one store, and one like it from an array: written bare, and an event at a time; by one reader and by many. */
export async function measureStore(
  { quick, rounds }: Scale,
  start: typeof startChild,
  store: StoreKind,
  location: string,
): Promise<Report> {
  const name = STORE_TITLES[store];
  const events = quick ? 2_000 : 100_000;
  const last = REPLAY_SINCE + events;
  const together = { readers: quick ? 5 : 50, events: quick ? 500 : 10_000 };
  const reader = start<ReplayReader>(new URL("replay-reader.ts", import.meta.url));
  const module = new URL("replay-subjects.ts", import.meta.url);
  const size = String(events);
  const ours = await openSubject(start<ReplayServer>(module, "ours", store, location, size));
  const bare = await openSubject(start<ReplayServer>(module, "bare", size));
  const readings = measureReadings(name, reader);
  const from = (path: string): Reading => ({ path, since: REPLAY_SINCE, last });
  const costs = await takeTurns(rounds, {
    ours: readings.stream(ours, from(streamPath(REPLAY_RUN))),
    bare: readings.stream(bare, from("/stream")),
    singly: readings.stream(bare, from("/singly")),
    oursPoll: readings.poll(ours, from(`/v1/agent-runs/${REPLAY_RUN}/events`)),
    barePoll: readings.poll(bare, from("/events")),
    oursTogether: readings.stream(ours, {
      path: streamPath(REPLAY_RUN),
      since: last - together.events,
      last,
      readers: together.readers,
    }),
  });
  await Promise.all([reader.stop(), ours.server.stop(), bare.server.stop()]);
  const over = (upper: readonly Cost[], lower: readonly Cost[]): readonly number[] =>
    ratios(cpuMicros(upper), cpuMicros(lower));
  const ratioOf = (title: string, upper: readonly Cost[], lower: readonly Cost[]): Figure => ({
    name: `${name}: ${title}, CPU`,
    unit: "×",
    values: over(upper, lower),
  });
  const eachTime = ratioOf("stream, ours / an event at a time", costs.ours, costs.singly);
  return {
    // SQLite's rows cost the server's own process; the others' are another's, and their drivers' way to it is most of the rest.
    targets: store === "sqlite" ? [{ ...eachTime, bound: 0.5, kind: "at most" }] : [],
    figures: [
      ...(store === "sqlite" ? [] : [eachTime]),
      ratioOf("stream, ours / bare", costs.ours, costs.bare),
      ratioOf("pages, ours / bare", costs.oursPoll, costs.barePoll),
      ratioOf(`a delivery to ${together.readers} at once / to one`, costs.oursTogether, costs.ours),
      cpuFigure(`${name}: stream, ours`, "event", costs.ours),
      cpuFigure(`${name}: stream, bare`, "event", costs.bare),
      cpuFigure(`${name}: stream, an event at a time`, "event", costs.singly),
      cpuFigure(`${name}: pages, ours`, "event", costs.oursPoll),
      cpuFigure(`${name}: pages, bare`, "event", costs.barePoll),
      cpuFigure(`${name}: stream to ${together.readers} at once`, "delivery", costs.oursTogether),
    ],
    notes: readings.notes(),
  };
}
