import { type FeedFrame, readFeedFrame } from "../feed/feed-frame.ts";
import { fits, isCount, isText } from "../http/fits.ts";
import { type Frame, parseFrame } from "./frame.ts";

/** A frame of a stream of many runs, and of a feed. @see clauses W47 and W48 in `WIRE.md` of `@tm/run-events-http` */
export type RunsFrame =
  | { readonly type: "whole"; readonly isEnd: boolean }
  | { readonly type: "run"; readonly runId: string; readonly since: number; readonly frame: Frame }
  | { readonly type: "feed"; readonly frame: FeedFrame }
  | { readonly type: "feed_failure"; readonly frame: Frame & { readonly type: "error" } }
  | { readonly type: "failure"; readonly frame: Frame };

/**
 * Parses a frame of a stream of many runs. A frame of neither a run nor a feed that is no error, such as one of a later version, is about
 * the whole stream.
 */
export function parseRunsFrame(data: string): RunsFrame {
  const frame = parseFrame(data);
  if (frame.type === "unknown") return parseOther(JSON.parse(data));
  const { runId, since = 0, feed } = frame as Readonly<Record<string, unknown>>;
  if (isText(runId) && isCount(since))
    return { type: "run", runId: runId as string, since: since as number, frame };
  if (frame.type !== "error") return { type: "failure", frame: { type: "malformed" } };
  return { type: feed === true ? "feed_failure" : "failure", frame };
}

function parseOther(json: unknown): RunsFrame {
  const frame = readFeedFrame(json);
  if (frame === undefined) return { type: "failure", frame: { type: "malformed" } };
  if (frame !== null) return { type: "feed", frame };
  return { type: "whole", isEnd: fits(json, { type: (type) => type === "stream_finished" }) };
}
