import { fits, isCount, isText } from "../http/fits.ts";
import { type Frame, parseFrame } from "./frame.ts";

/** A frame of a stream of many runs. @see clause W47 in `WIRE.md` of `@tm/run-events-http` */
export type RunsFrame =
  | { readonly type: "whole"; readonly isEnd: boolean }
  | { readonly type: "run"; readonly runId: string; readonly since: number; readonly frame: Frame }
  | { readonly type: "failure"; readonly frame: Frame };

/**
 * Parses a frame of a stream of many runs. A frame without a run that is no error, such as one of a later version, is about the whole
 * stream.
 */
export function parseRunsFrame(data: string): RunsFrame {
  const frame = parseFrame(data);
  const { runId, since = 0 } = frame as { readonly runId?: unknown; readonly since?: unknown };
  if (frame.type === "unknown")
    return {
      type: "whole",
      isEnd: fits(JSON.parse(data), { type: (type) => type === "stream_finished" }),
    };
  if (isText(runId) && isCount(since))
    return { type: "run", runId: runId as string, since: since as number, frame };
  return { type: "failure", frame: frame.type === "error" ? frame : { type: "malformed" } };
}
