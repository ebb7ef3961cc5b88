import type { HeaderList } from "./call.ts";
import type { HttpTrial } from "./http-trial.ts";
import type { LiveStream } from "./live-stream.ts";

/** The path of the stream of many runs. @see clause W47 in `WIRE.md` */
export const RUNS_STREAM_PATH = "/v1/agent-runs/stream";

/** Opens a feed of the owner's runs, by the owner's session. @see clause W48 in `WIRE.md` */
export function followFeed(
  trial: HttpTrial,
  query: Readonly<Record<string, string>>,
  headers: HeaderList = trial.owner.session,
): Promise<LiveStream> {
  const parameters = new URLSearchParams(query).toString();
  return trial.follow({ path: `${RUNS_STREAM_PATH}?${parameters}`, headers });
}

/** Opens the stream of these runs, each with its cursor, by the owner's session. */
export function followAll(
  trial: HttpTrial,
  starts: readonly (readonly [runId: string, start: number])[],
  headers: HeaderList = trial.owner.session,
): Promise<LiveStream> {
  const runs = starts.map(([runId, start]) => `${runId}:${start}`).join();
  return trial.follow({ path: `${RUNS_STREAM_PATH}?runs=${runs}`, headers });
}
