import { join } from "node:path";
import type { startChild } from "./child.ts";
import type { ReplayPlaces } from "./replay.ts";
import { REPLAY_RUN, REPLAY_SINCE } from "./replay-log.ts";
import type { LogReader } from "./replay-read.ts";
import type { ReplayReader } from "./replay-reader.ts";
import type { ReplayServer } from "./replay-server.ts";
import { measureReadings, openSubject } from "./replay-subject.ts";
import type { Report, Scale } from "./report.ts";
import { type Cost, cpuFigure, cpuMicros, ratios, takeTurns } from "./rounds.ts";
import { streamPath } from "./run-server.ts";

/** What others take for the same events, over their own HTTP and in process. */
export async function measurePeers(
  { quick, rounds }: Scale,
  start: typeof startChild,
  places: ReplayPlaces,
): Promise<Report> {
  const events = quick ? 2_000 : 20_000;
  const reader = start<ReplayReader>(new URL("replay-reader.ts", import.meta.url));
  const serve = (module: URL, ...parameters: readonly string[]) =>
    openSubject(start<ReplayServer>(module, ...parameters, String(events)));
  const readIn = async (module: URL): Promise<() => Promise<Cost>> => {
    const child = start<LogReader>(module, await places.postgres(), String(events));
    return () => child.call("read");
  };
  const memory = await serve(new URL("replay-ours.ts", import.meta.url), "memory", "");
  const sqlite = await serve(
    new URL("replay-ours.ts", import.meta.url),
    "sqlite",
    join(places.folder, "peers.db"),
  );
  const redis = await serve(
    new URL("replay-ours.ts", import.meta.url),
    "redis",
    `${places.redis}/1`,
  );
  const durableMemory = await serve(new URL("replay-durable-streams.ts", import.meta.url), "");
  const durableFile = await serve(
    new URL("replay-durable-streams.ts", import.meta.url),
    join(places.folder, "streams"),
  );
  const resumable = await serve(
    new URL("replay-resumable.ts", import.meta.url),
    `${places.redis}/2`,
  );
  const readings = measureReadings("ours", reader);
  const durable = measureReadings("Durable Streams", reader);
  const resumed = measureReadings("resumable-stream", reader);
  const all = { since: REPLAY_SINCE, last: REPLAY_SINCE + events };
  const pages = { ...all, path: `/v1/agent-runs/${REPLAY_RUN}/events` };
  const stream = { ...all, path: streamPath(REPLAY_RUN) };
  const others = { since: 0, last: events, path: "/run" };
  const costs = await takeTurns(rounds, {
    memory: readings.poll(memory, pages),
    durableMemory: durable.catchUp(durableMemory, others),
    sqlite: measureReadings("ours", reader).poll(sqlite, pages),
    durableFile: durable.catchUp(durableFile, others),
    redis: measureReadings("ours", reader).stream(redis, stream),
    resumable: resumed.stream(resumable, { ...others, ends: false }),
    ours: await readIn(new URL("replay-read-ours.ts", import.meta.url)),
    emmett: await readIn(new URL("replay-read-emmett.ts", import.meta.url)),
    castore: await readIn(new URL("replay-read-castore.ts", import.meta.url)),
  });
  const over = (name: string, upper: readonly Cost[], lower: readonly Cost[]) => ({
    name: `${name}, CPU`,
    unit: "×",
    values: ratios(cpuMicros(upper), cpuMicros(lower)),
  });
  return {
    targets: [],
    figures: [
      over("Durable Streams in memory / ours, pages", costs.durableMemory, costs.memory),
      over("Durable Streams in files / ours on SQLite, pages", costs.durableFile, costs.sqlite),
      over("resumable-stream / ours on Redis, stream", costs.resumable, costs.redis),
      over("Emmett / ours on Postgres, in process", costs.emmett, costs.ours),
      over("Castore / ours on Postgres, in process", costs.castore, costs.ours),
      cpuFigure("Durable Streams in memory", "event", costs.durableMemory),
      cpuFigure("Durable Streams in files", "event", costs.durableFile),
      cpuFigure("resumable-stream", "event", costs.resumable),
      cpuFigure("ours on Postgres, in process", "event", costs.ours),
      cpuFigure("Emmett, in process", "event", costs.emmett),
      cpuFigure("Castore, in process", "event", costs.castore),
    ],
    notes: [...durable.notes(), ...resumed.notes()],
  };
}
