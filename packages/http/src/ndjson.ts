import {
  type AppendReceipt,
  type EventDraft,
  isTerminal,
  RunEventsError,
} from "@tm/run-events-core";
import { type RunLog, statusAfter } from "@tm/run-events-core/wire";
import { createByteBuffer, decodeUtf8, letGo } from "./body.ts";
import type { Holding } from "./in-flight.ts";
import { invalidRequest, parseEvent } from "./parameters.ts";

const NEWLINE = 10;
/** What one append takes at most of the lines that have arrived. */
const GROUP_EVENTS = 500;
const GROUP_BYTES = 1_048_576;

interface Line {
  readonly number: number;
  readonly draft: EventDraft;
}

/**
 * Cuts bytes into lines, however they were split on the way. A line that has not ended is kept until it does, or the whole
 * body does.
 * @param grow called with the memory of the unfinished line before it is allocated; throws to refuse it
 */
export function createLineCutter(
  maxLineBytes: number,
  grow: (bytes: number) => void,
): {
  /** Yields the lines that end in these bytes. @throws RunEventsError `payload_too_large`, behind the lines before it. */
  push(bytes: Uint8Array): Iterable<Uint8Array>;
  /** What stands behind the last newline. */
  rest(): Uint8Array;
  /** The memory of the unfinished line, in bytes. */
  size(): number;
} {
  const line = createByteBuffer(maxLineBytes, grow);
  return {
    rest: () => line.take(),
    size: () => line.size(),
    *push(bytes) {
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
        line.add(bytes.subarray(from, at));
        from = at + 1;
        yield line.take();
      }
      line.add(bytes.subarray(from));
    },
  };
}

/** Where and whose the lines are to be appended. */
export interface NdjsonTarget {
  readonly log: RunLog;
  readonly runId: string;
  readonly ownerId: string;
  /** Of the lease under which they are appended, if there is one. @see W32 */
  readonly fence: number | undefined;
  readonly maxLineBytes: number;
  /** Counts the memory of the upload. @see W49 */
  readonly holding: Pick<Holding, "holdBody">;
}

/**
 * Appends a body of one event a line as the lines arrive. The next bytes are read only when what came before is in the log,
 * so a slow store slows the sender down. Should the client break off, the line that had not ended is nobody's.
 * @returns the receipt of the whole
 * @throws RunEventsError of the line that cannot be appended, with `details.line`; what came before it stays, and
 * `details.lastSequence` names its end
 * @see W12
 */
export async function appendLines(
  body: AsyncIterator<Uint8Array, unknown>,
  target: NdjsonTarget,
): Promise<AppendReceipt> {
  const { log, runId, ownerId, fence, maxLineBytes, holding } = target;
  /** Bytes of complete lines that the log has not answered yet. */
  let heldBytes = 0;
  const cutter = createLineCutter(maxLineBytes, (bytes) => holding.holdBody(heldBytes + bytes));
  const most = Math.min(GROUP_EVENTS, log.limits.maxBatchEvents);
  let whole: AppendReceipt | null = null;
  let group: Line[] = [];
  let groupBytes = 0;
  let number = 1;

  async function add(line: Uint8Array): Promise<void> {
    heldBytes += line.buffer.byteLength;
    const draft = parseLine(line);
    if (draft !== null) {
      group.push({ number, draft });
      groupBytes += line.length;
    }
    number += 1;
    // Behind a terminal event nothing can follow, so the next line is to meet a run that has finished.
    const ended = draft !== null && isTerminal(statusAfter(draft.eventType));
    if (ended || group.length === most || groupBytes >= GROUP_BYTES) await flush();
  }

  async function flush(): Promise<void> {
    const lines = group;
    group = [];
    groupBytes = 0;
    await append(lines);
    heldBytes = 0;
    holding.holdBody(cutter.size());
  }

  async function append(lines: readonly Line[]): Promise<void> {
    const first = lines[0];
    if (first === undefined) return;
    try {
      const receipt = await log.append(
        runId,
        lines.map(({ draft }) => draft),
        { ownerId, fence },
      );
      whole = { ...receipt, firstSequence: whole?.firstSequence ?? receipt.firstSequence };
    } catch (error) {
      const index = error instanceof RunEventsError ? (error.details.index ?? 0) : 0;
      await append(lines.slice(0, index));
      throw atLine(error, lines[index]?.number ?? first.number, whole);
    }
  }

  try {
    for (let next = await body.next(); next.done !== true; next = await body.next()) {
      for (const line of cutter.push(next.value)) await add(line);
      await flush();
    }
    await add(cutter.rest());
    await flush();
  } catch (error) {
    await flush();
    throw atLine(error, number, whole);
  } finally {
    letGo(body);
  }
  if (whole === null) throw invalidRequest("The body has no event.");
  return whole;
}

/** One line's event; `null` for a blank line. */
function parseLine(bytes: Uint8Array): EventDraft | null {
  const text = decodeUtf8(trimSpace(bytes));
  if (text === "") return null;
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new RunEventsError("invalid_request", "The line is not JSON.", { cause });
  }
  return parseEvent(text, 0);
}

/**
 * A line without JSON white space at its ends: `trim` would also remove a byte order mark and more. It looks at each byte once: a
 * regular expression that ends in `+$` would start over at each blank.
 */
function trimSpace(line: Uint8Array): Uint8Array {
  let from = 0;
  let to = line.length;
  while (from < to && isSpace(line[from])) from += 1;
  while (from < to && isSpace(line[to - 1])) to -= 1;
  return line.subarray(from, to);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 9 || byte === 13;
}

function atLine(error: unknown, line: number, whole: AppendReceipt | null): unknown {
  if (!(error instanceof RunEventsError) || error.details.line !== undefined) return error;
  const { index, ...details } = error.details;
  const appended = whole === null ? {} : { lastSequence: whole.lastSequence };
  const { code, cause, retryable, ambiguous } = error;
  // The log counts events within one append; the sender counts lines of the whole body.
  const message = error.message.replace(`event ${index}`, `line ${line}`);
  return new RunEventsError(code, message, {
    cause,
    retryable,
    ambiguous,
    details: { ...appended, ...details, line },
  });
}
