import { eventBytes, type RunRecord, utf8Bytes } from "@tm/run-events-core/store";
import { type RunLog, answers } from "@tm/run-events-core/wire";
import { stopIfGone } from "../exchange/exchange.ts";
import type { Call } from "./route.ts";

/** The bytes that are read and encoded in a turn of the event loop. */
const SLICE_BYTES = 262_144;
const PAGE_BYTES = 4_194_304;
const encoder = new TextEncoder();

/** A page of a run's log, ready to be sent. */
export interface EncodedPage {
  /** The status and the end of the whole page, with the events of its last slice. */
  readonly page: Awaited<ReturnType<RunLog["readPage"]>> & { readonly run: RunRecord };
  /** Its text, or the bytes of a long one. */
  readonly body: string | Uint8Array;
}

/** The page that is asked for. */
interface Query {
  readonly since: number;
  /** The time of the event `since`, if the reader has it. @see clause W46 in `WIRE.md` */
  readonly at: string | undefined;
  readonly limit: number;
  /** Shown in the page, if the reader does not know its cursor. @see clause W45 in `WIRE.md` */
  readonly began?: number | undefined;
}

/**
 * Reads a page and encodes it. A page larger than a slice is joined from slices, one a turn of the event loop. Each
 * slice takes a turn, so that small requests come in between.
 * @throws RunEventsError as `RunLog.readPage`; `too_many_requests`
 * @see clauses W15 and W49 in `WIRE.md`
 */
export async function readPage(call: Call, query: Query): Promise<EncodedPage> {
  const page = await call.holding.read(async () => {
    stopIfGone(call.exchange);
    return readSlice(call, query, query.limit, SLICE_BYTES);
  });
  stopIfGone(call.exchange);
  if (!page.hasMore || page.events.length >= query.limit) {
    return { page, body: answers.encodePage(showStart(page, query)) };
  }
  return call.holding.alone(() => readLargePage(call, query));
}

function readSlice(
  { context, runId, ownerId }: Call,
  { since, at }: Pick<Query, "since" | "at">,
  limit: number,
  maxBytes: number,
): Promise<EncodedPage["page"]> {
  return context.log.readPage(runId, { since, at, limit, ownerId, maxBytes });
}

/** Joins a page from slices. It ends early where the owner's answers have no room for the next slice. */
async function readLargePage(call: Call, query: Query): Promise<EncodedPage> {
  const { limit } = query;
  const { holding } = call;
  holding.holdAnswer(SLICE_BYTES);
  await call.takeTurn("large");
  let page = await readSlice(call, query, limit, SLICE_BYTES);
  let bytes = weigh(page);
  let count = page.events.length;
  const parts = [encoder.encode(answers.PAGE_START + answers.encodeEvents(page.events))];
  while (page.hasMore && count < limit && bytes < PAGE_BYTES) {
    const most = Math.min(SLICE_BYTES, PAGE_BYTES - bytes);
    if (bytes + most > holding.freeForAnswer()) break;
    holding.holdAnswer(bytes + most);
    await call.takeTurn("large");
    const next = await readSlice(call, endOf(page, query), limit - count, most).catch(() => null);
    // The slices so far are a page, even if the store fails now, or the run was deleted, replaced or has lost its end.
    if (next === null || next.run.ordinal !== page.run.ordinal || next.events.length === 0) break;
    bytes += weigh(next);
    // A slice holds one event, however large that is; a page only if it is the first.
    if (bytes > PAGE_BYTES) break;
    parts.push(encoder.encode(`,${answers.encodeEvents(next.events)}`));
    count += next.events.length;
    page = next;
  }
  stopIfGone(call.exchange);
  parts.push(encoder.encode(answers.encodePageEnd(showStart(page, query))));
  return { page, body: concat(parts) };
}

/** Where the next slice begins, in the same history. */
function endOf({ events }: EncodedPage["page"], query: Query): Pick<Query, "since" | "at"> {
  const last = events.at(-1);
  if (last === undefined) return query;
  return { since: last.sequence, at: answers.encodeTime(last.createdAtMs) };
}

function showStart<Page extends Awaited<ReturnType<RunLog["readPage"]>>>(
  page: Page,
  { began }: Query,
): Page {
  return began === undefined ? page : { ...page, since: began };
}

function weigh({ events }: Awaited<ReturnType<RunLog["readPage"]>>): number {
  return events.reduce((bytes, { payload }) => bytes + eventBytes(utf8Bytes(payload)), 0);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
