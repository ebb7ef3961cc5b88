import { decodePlace, type RunPlace } from "../runs/run-place.ts";

/** The run of a request, and the place from which it reads. */
export interface StreamPlace {
  readonly runId: string;
  /** `null` for a producer. */
  readonly offset: string | null;
}

/**
 * The run and the sequence of an offset.
 * @throws Error unless `encodePlace` has made it
 */
function decodeOffset(offset: string): RunPlace {
  const place = decodePlace(offset);
  if (place !== null) return place;
  throw new Error(
    `Expected an offset of this store, got ${JSON.stringify(offset)}. Take that of a chunk, or "-1" for the start.`,
  );
}

/** Whether the offset is not that of a chunk: `-1` is the start, `now` the end. */
export function isPlace(offset: string): boolean {
  return offset === "-1" || offset === "now";
}

/**
 * The sequence after which a reader of this run goes on.
 * @throws Error for an offset of another run, or of another store
 */
export function sequenceOf(offset: string, runId: string, lastSequence: number): number {
  if (isPlace(offset)) return offset === "now" ? lastSequence : 0;
  const decoded = decodeOffset(offset);
  if (decoded.runId === runId) return decoded.sequence;
  throw new Error(
    `Expected an offset of the run ${JSON.stringify(runId)}, got one of another. Take that of a chunk of this run.`,
  );
}

/**
 * Reads a request: `Last-Event-ID` or `?offset`, and `X-Run-Id` or `?runId`. An offset of a chunk names its run itself.
 * @throws Error for a run id that is empty, has a line break or is not well-formed text, and for a request whose offset
 * is not `-1`, `now` or one in the form of a chunk's
 */
export function placeOf(
  source: Request | { readonly runId: string; readonly offset?: string | null | undefined },
): StreamPlace {
  if (!(source instanceof Request)) {
    return { runId: checkRunId(source.runId), offset: source.offset ?? null };
  }
  const { searchParams } = new URL(source.url);
  const read = (header: string, name: string): string | null =>
    source.headers.get(header) || searchParams.get(name);
  const offset = read("Last-Event-ID", "offset");
  if (offset !== null && !isPlace(offset)) return { runId: decodeOffset(offset).runId, offset };
  return { runId: checkRunId(read("X-Run-Id", "runId") ?? crypto.randomUUID()), offset };
}

function checkRunId(runId: string): string {
  if (runId !== "" && !/[\r\n]/.test(runId) && runId.isWellFormed()) return runId;
  throw new Error(
    `Expected a run id of well-formed text without line breaks, and not empty, got ${JSON.stringify(runId)}. Choose another id.`,
  );
}
