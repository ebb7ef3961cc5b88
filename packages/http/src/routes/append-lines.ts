import { changeBy, type RunLog, bounds } from "@tm/run-events-core/wire";
import {
  type AppendReceipt,
  type EventDraft,
  isTerminal,
  RunEventsError,
} from "@tm/run-events-core";
import { createLineCutter } from "../contract/line-cutter.ts";
import { parseEvent } from "../contract/events.ts";
import { invalidRequest } from "../contract/parameter.ts";

/** The most events, and the most bytes, of the lines in one append. */
const GROUP_EVENTS = 500;
const GROUP_BYTES = 1_048_576;
/**
 * The least that an upload counts as, in bytes: it takes memory before its first byte, and one that finds nothing free is refused before
 * anything is read for it. As many uploads as a user may have requests fill the user's bytes.
 */
const LEAST_BYTES = 32_768;

interface Line {
  readonly number: number;
  readonly draft: EventDraft;
}

/** The run to which lines are appended, and the bounds. */
export interface NdjsonTarget {
  readonly log: RunLog;
  readonly runId: string;
  readonly ownerId: string;
  /** The fence of the caller's lease, if the request has one. @see clause W32 in `WIRE.md` */
  readonly fence: number | undefined;
  readonly maxLineBytes: number;
  /** Counts the memory of the upload. @see clause W49 in `WIRE.md` */
  readonly holding: Pick<bounds.Holding, "holdBody">;
}

/**
 * Appends a body of one event a line as the lines arrive. The next bytes are read only when the lines before are in the log, so a
 * slow store slows the sender down. If the client breaks off, the unfinished line is dropped.
 * @returns one receipt for all lines
 * @throws RunEventsError of the line that cannot be appended, with `details.line`; the lines before it stay in the log, and
 * `details.lastSequence` is the sequence of their last event
 * @see clause W12 in `WIRE.md`
 */
export async function appendLines(
  body: AsyncIterator<Uint8Array, unknown>,
  target: NdjsonTarget,
): Promise<AppendReceipt> {
  const upload = new LineUpload(target);
  try {
    for (let next = await body.next(); next.done !== true; next = await body.next())
      await upload.take(next.value);
    await upload.end();
  } catch (error) {
    throw await upload.fail(error);
  } finally {
    bounds.letGo(body);
  }
  const { receipt } = upload;
  if (receipt === null)
    throw invalidRequest(
      "Expected at least one event in the body, got none. Send one JSON object a line.",
    );
  return receipt;
}

/**
 * Sets how many bytes an upload holds from now on; at its begin, none.
 * @throws RunEventsError `too_many_requests`
 */
export function holdUpload(holding: NdjsonTarget["holding"], bytes: number): void {
  holding.holdBody(Math.max(LEAST_BYTES, bytes));
}

/** The lines of one upload that are not in the log yet, and the receipt of those that are. */
class LineUpload {
  readonly #target: NdjsonTarget;
  readonly #cutter: ReturnType<typeof createLineCutter>;
  readonly #most: number;
  #whole: AppendReceipt | null = null;
  /** The events of the next append. */
  #group: Line[] = [];
  #groupBytes = 0;
  /** Bytes of complete lines that are not in the log yet. */
  #heldBytes = 0;
  /** The number of the next line, from 1. */
  #number = 1;

  constructor(target: NdjsonTarget) {
    const { log, maxLineBytes, holding } = target;
    this.#target = target;
    this.#most = Math.min(GROUP_EVENTS, log.limits.maxBatchEvents);
    this.#cutter = createLineCutter(maxLineBytes, (bytes) =>
      holdUpload(holding, this.#heldBytes + bytes),
    );
  }

  /** Appends the lines that end in these bytes. */
  async take(bytes: Uint8Array): Promise<void> {
    for (const line of this.#cutter.push(bytes)) await this.#add(line);
    await this.#flush();
  }

  /** Appends what follows the last newline. */
  async end(): Promise<void> {
    await this.#add(this.#cutter.rest());
    await this.#flush();
  }

  /** The receipt of all that was appended; `null` if nothing was. */
  get receipt(): AppendReceipt | null {
    return this.#whole;
  }

  /** Appends the lines before the error. @returns the error with its line */
  async fail(error: unknown): Promise<unknown> {
    await this.#flush();
    return atLine(error, this.#number, this.#whole);
  }

  async #add(line: Uint8Array): Promise<void> {
    this.#heldBytes += line.buffer.byteLength;
    const draft = parseLine(line);
    if (draft !== null) {
      this.#group.push({ number: this.#number, draft });
      this.#groupBytes += line.length;
    }
    this.#number += 1;
    // Nothing can follow a terminal event, so the next line must meet a finished run.
    const ended = draft !== null && isTerminal(changeBy(draft.eventType));
    if (ended || this.#group.length === this.#most || this.#groupBytes >= GROUP_BYTES)
      await this.#flush();
  }

  async #flush(): Promise<void> {
    const lines = this.#group;
    this.#group = [];
    this.#groupBytes = 0;
    await this.#append(lines);
    this.#heldBytes = 0;
    holdUpload(this.#target.holding, this.#cutter.size());
  }

  async #append(lines: readonly Line[]): Promise<void> {
    const [first] = lines;
    if (first === undefined) return;
    const { log, runId, ownerId, fence } = this.#target;
    try {
      const drafts = lines.map(({ draft }) => draft);
      const receipt = await log.append(runId, drafts, { ownerId, fence });
      const firstSequence = this.#whole?.firstSequence ?? receipt.firstSequence;
      this.#whole = { ...receipt, firstSequence };
    } catch (error) {
      const index = error instanceof RunEventsError ? (error.details.index ?? 0) : 0;
      await this.#append(lines.slice(0, index));
      throw atLine(error, lines[index]?.number ?? first.number, this.#whole);
    }
  }
}

/** One line's event; `null` for a blank line. */
function parseLine(bytes: Uint8Array): EventDraft | null {
  const text = bounds.decodeUtf8(bytes);
  // Only JSON white space counts as blank: `trim` would also remove a byte order mark.
  if (/^[ \t\r]*$/.test(text)) return null;
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new RunEventsError(
      "invalid_request",
      "Expected the line to be JSON, got other text. Send one JSON object a line.",
      { cause },
    );
  }
  return parseEvent(text, 0);
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
