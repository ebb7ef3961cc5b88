import { assert, assertEqual } from "../assert.ts";
import { assertStatus } from "./assert-answer.ts";
import type { Answer, Call, HeaderList } from "./call.ts";
import type { HttpTrial } from "./http-trial.ts";
import { type Draft, encodeDraft } from "./draft.ts";
import { itemTexts, memberText } from "./json-text.ts";
import type { DeliveredEvent, Delivery } from "./judge-delivery.ts";
import type { LiveStream } from "./live-stream.ts";
import type { Frame } from "./read-frames.ts";

/** Where an append landed. */
export interface Receipt {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly runStatus: string;
  readonly currentPhase: unknown;
  readonly replayed: boolean;
}

/** A page, its payloads as JSON text. */
export interface PageText {
  readonly events: readonly DeliveredEvent[];
  readonly runStatus: string;
  readonly currentPhase: unknown;
  readonly lastSequence: number;
  readonly hasMore: boolean;
  readonly answer: Answer;
}

/** The path of a run, or a path below it. */
export function pathOf(runId: string, leaf = ""): string {
  return `/v1/agent-runs/${runId}${leaf}`;
}

/** A request with a JSON body by the owner's token. */
export function post(trial: HttpTrial, path: string, body: string, headers: HeaderList = {}): Call {
  return {
    method: "POST",
    path,
    headers: { ...trial.owner.bearer, "content-type": "application/json", ...headers },
    body,
  };
}

/** The request that appends these events. `more` follows them in the body. */
export function appendCall(
  trial: HttpTrial,
  runId: string,
  drafts: readonly Draft[],
  headers: HeaderList = {},
  more = "",
): Call {
  const body = `{"events":[${drafts.map(encodeDraft).join(",")}]${more}}`;
  return post(trial, pathOf(runId, "/events"), body, headers);
}

/** The request that appends these lines. */
export function linesCall(
  trial: HttpTrial,
  runId: string,
  body: NonNullable<Call["body"]>,
  headers: HeaderList = {},
): Call {
  const type = { "content-type": "application/x-ndjson" };
  return { ...post(trial, pathOf(runId, "/events"), "", { ...type, ...headers }), body };
}

/** Appends as the owner; the events have to land. */
export async function land(
  trial: HttpTrial,
  runId: string,
  drafts: readonly Draft[],
  headers: HeaderList = {},
): Promise<Receipt> {
  const answer = await trial.send(appendCall(trial, runId, drafts, headers));
  assertStatus(answer, 201);
  return receiptOf(answer);
}

/** The receipt in an answer. */
export function receiptOf(answer: Answer): Receipt {
  const body = answer.json();
  assertEqual(
    Object.keys(body).toSorted(),
    ["currentPhase", "firstSequence", "lastSequence", "replayed", "runStatus"],
    `W9: the fields of the receipt of ${answer.to}`,
  );
  return body as unknown as Receipt;
}

/** Creates a run of the owner's with these events; its id. */
export async function record(trial: HttpTrial, ...drafts: readonly Draft[]): Promise<string> {
  const answer = await trial.send(post(trial, "/v1/agent-runs", "{}"));
  assertStatus(answer, 201);
  const runId = String(answer.json()["runId"]);
  if (drafts.length > 0) await land(trial, runId, drafts);
  return runId;
}

/** The run as its owner sees it. */
export async function getRun(
  trial: HttpTrial,
  runId: string,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await trial.send({ path: pathOf(runId), headers: trial.owner.bearer });
  assertStatus(answer, 200);
  return answer.json();
}

/** Polls as the owner. */
export function poll(
  trial: HttpTrial,
  runId: string,
  query = "",
  headers: HeaderList = {},
): Promise<Answer> {
  const path = pathOf(runId, `/events${query === "" ? "" : `?${query}`}`);
  return trial.send({ path, headers: { ...trial.owner.bearer, ...headers } });
}

/** Polls for a page that has to come. */
export async function readPage(trial: HttpTrial, runId: string, query = ""): Promise<PageText> {
  return pageOf(await poll(trial, runId, query));
}

/** The page in an answer. Any page may say its `since`, and one by `tail` has to. */
export function pageOf(answer: Answer): PageText {
  assertStatus(answer, 200);
  const { since: _, ...body } = answer.json();
  assertEqual(
    Object.keys(body).toSorted(),
    ["currentPhase", "events", "hasMore", "lastSequence", "runStatus"],
    `W15: the fields of the page of ${answer.to}`,
  );
  const events = itemTexts(memberText(answer.text, "events") ?? "[]").map(eventOf);
  return { ...(body as unknown as PageText), events, answer };
}

/** An event's JSON text as the oracle takes it. */
function eventOf(text: string): DeliveredEvent {
  const { sequence, eventType } = JSON.parse(text) as DeliveredEvent;
  return { sequence, eventType, payload: memberText(text, "payload") };
}

/** The sequences of a page. */
export function sequencesOf({ events }: Pick<PageText, "events">): readonly number[] {
  return events.map(({ sequence }) => sequence);
}

/** Opens the run's live stream by the owner's session. */
export function tail(
  trial: HttpTrial,
  runId: string,
  query = "",
  headers: HeaderList = {},
): Promise<LiveStream> {
  const path = pathOf(runId, `/stream${query === "" ? "" : `?${query}`}`);
  return trial.follow({ path, headers: { ...trial.owner.session, ...headers } });
}

/** Opens a stream that has to be one. */
export async function tailLive(
  trial: HttpTrial,
  runId: string,
  query = "",
  headers: HeaderList = {},
): Promise<LiveStream> {
  const stream = await tail(trial, runId, query, headers);
  assert(
    stream.status === 200,
    `W19: the stream of ${runId} is answered with 200, got ${stream.status}`,
  );
  return stream;
}

/** The events and the end that the frames bring to a reader. */
export function deliveryOf(frames: readonly Frame[]): Delivery {
  return frames.flatMap(({ message, data }): Delivery => {
    if (message["type"] === "run_finished") return ["end"];
    if (message["type"] !== "run_event") return [];
    return [eventOf(memberText(data, "event") ?? "{}")];
  });
}
