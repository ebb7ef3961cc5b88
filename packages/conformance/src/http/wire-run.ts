import { assert, assertEqual } from "../assert.ts";
import { assertStatus, assertTime } from "./assert-answer.ts";
import type { Answer, Call, HeaderList } from "./call.ts";
import { type Draft, encodeDraft } from "./draft.ts";
import type { DeliveredEvent, Delivery } from "./judge-delivery.ts";
import { itemTexts, memberText } from "./json-text.ts";
import type { LiveStream } from "./live-stream.ts";
import { LINES_TYPE, type Query, RUNS, withQuery } from "./paths.ts";
import type { Frame } from "./read-frames.ts";
import type { WireUser } from "./wire-user.ts";

/** The shortest lease that there is. @see clause W31 in `WIRE.md` */
export const SHORTEST_LEASE_MS = 1_000;
/** Longer than any case takes. */
export const LONG_LEASE_MS = 60_000;

/** A run over the wire. Its user asks by the token unless a call has another credential. */
export class WireRun {
  readonly id: string;
  readonly #user: WireUser;

  constructor(user: WireUser, id: string) {
    this.#user = user;
    this.id = id;
  }

  /** The path of the run, or one below it. */
  at(leaf = "", query: Query = ""): string {
    return withQuery(`${RUNS}/${this.id}${leaf}`, query);
  }

  /** The request that appends these events. `more` follows them in the body. */
  appendCall(drafts: readonly Draft[], headers: HeaderList = {}, more = ""): Call {
    const body = `{"events":[${drafts.map(encodeDraft).join()}]${more}}`;
    return this.#user.call("POST", this.at("/events"), body, headers);
  }

  append(drafts: readonly Draft[], headers: HeaderList = {}, more = ""): Promise<Answer> {
    return this.#user.line.send(this.appendCall(drafts, headers, more));
  }

  /** Appends events that have to land. */
  async land(drafts: readonly Draft[], headers: HeaderList = {}): Promise<Receipt> {
    const answer = await this.append(drafts, headers);
    assertStatus(answer, 201);
    return receiptOf(answer);
  }

  /** Appends one event a line. */
  lines(body: NonNullable<Call["body"]>, headers: HeaderList = {}): Promise<Answer> {
    return this.post("/events", body, { ...LINES_TYPE, ...headers });
  }

  post(leaf: string, body?: Call["body"], headers: HeaderList = {}): Promise<Answer> {
    return this.#user.post(this.at(leaf), body, headers);
  }

  /** The run's snapshot. */
  async read(): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.#user.get(this.at());
    assertStatus(answer, 200);
    return answer.json();
  }

  /** Fails a case unless the run has so many events. */
  async assertLength(expected: number): Promise<void> {
    assertEqual((await this.read())["lastSequence"], expected, "lastSequence");
  }

  poll(query: Query = "", headers: HeaderList = {}): Promise<Answer> {
    return this.#user.get(this.at("/events", query), headers);
  }

  /** Polls for a page that has to come. */
  async page(query: Query = ""): Promise<PageText> {
    return pageOf(await this.poll(query));
  }

  /** The `createdAt` of each event, as the server wrote it. */
  async times(): Promise<readonly string[]> {
    const { events } = (await this.poll("limit=1000")).json();
    return (events as readonly { readonly createdAt: string }[]).map((event) => event.createdAt);
  }

  /** Opens the run's live stream by the session. */
  tail(query: Query = "", headers: HeaderList = {}): Promise<LiveStream> {
    return this.#user.follow(this.at("/stream"), query, { ...this.#user.session, ...headers });
  }

  /** Opens a stream that has to be one. */
  async live(query: Query = "", headers: HeaderList = {}): Promise<LiveStream> {
    const stream = await this.tail(query, headers);
    assertEqual(stream.status, 200, `W19: the status of the stream of ${this.id}`);
    return stream;
  }

  /** Asks for the run, for a minute unless `fields` has another `leaseMs`. */
  ask(fields: object = {}, headers: HeaderList = {}): Promise<Answer> {
    return this.post("/claim", JSON.stringify({ leaseMs: LONG_LEASE_MS, ...fields }), headers);
  }

  /** Claims an unclaimed run. */
  async claim(fields: object = {}): Promise<LeaseText> {
    return leaseOf(await this.ask(fields));
  }

  /** Asks for the lease to run so long from now. */
  renew(fence: number, leaseMs: number = LONG_LEASE_MS): Promise<Answer> {
    return this.lease("PUT", JSON.stringify({ fence, leaseMs }));
  }

  /** Gives the run back. */
  release(fence: number): Promise<Answer> {
    return this.lease("DELETE", JSON.stringify({ fence }));
  }

  /** A request on the run's lease. */
  lease(method: string, body: string): Promise<Answer> {
    return this.#user.line.send(this.#user.call(method, this.at("/claim"), body));
  }

  /** Gives a person's input, with this body unchanged. */
  input(body: string, headers: HeaderList = {}): Promise<Answer> {
    return this.post("/input", body, headers);
  }

  cancel(): Promise<Answer> {
    return this.post("/cancel");
  }

  /** Deletes the run. */
  remove(): Promise<Answer> {
    return this.#user.line.send(this.#user.call("DELETE", this.at()));
  }
}

/** The header of a worker's appends. */
export function fenced(fence: number | string): HeaderList {
  return { "run-fence": String(fence) };
}

/** The header of a request that may be sent again. */
export function keyed(key: string): HeaderList {
  return { "idempotency-key": key };
}

/** Where an append landed. */
export interface Receipt {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly runStatus: string;
  readonly currentPhase: unknown;
  readonly replayed: boolean;
}

/** The receipt in an answer. */
export function receiptOf(answer: Answer): Receipt {
  const fields = ["currentPhase", "firstSequence", "lastSequence", "replayed", "runStatus"];
  const body = answer.json();
  assertEqual(
    Object.keys(body).toSorted(),
    fields,
    `W9: the fields of the receipt of ${answer.to}`,
  );
  return body as unknown as Receipt;
}

/** A page, its payloads as JSON text. */
export interface PageText {
  readonly events: readonly DeliveredEvent[];
  readonly sequences: readonly number[];
  readonly runStatus: string;
  readonly currentPhase: unknown;
  readonly lastSequence: number;
  readonly hasMore: boolean;
  /** `undefined` where the page does not say after which cursor it begins. */
  readonly since: unknown;
  readonly text: string;
}

/** The page in an answer. Any page may say its `since`, and one by `tail` has to. */
export function pageOf(answer: Answer): PageText {
  assertStatus(answer, 200);
  const { since, ...body } = answer.json();
  const fields = ["currentPhase", "events", "hasMore", "lastSequence", "runStatus"];
  assertEqual(Object.keys(body).toSorted(), fields, `W15: the fields of the page of ${answer.to}`);
  const events = itemTexts(memberText(answer.text, "events") ?? "[]").map(eventOf);
  const sequences = events.map(({ sequence }) => sequence);
  return { ...(body as unknown as PageText), events, sequences, since, text: answer.text };
}

/** An event's JSON text as the judge takes it. */
function eventOf(text: string): DeliveredEvent {
  const { sequence, eventType } = JSON.parse(text) as DeliveredEvent;
  return { sequence, eventType, payload: memberText(text, "payload") };
}

/** The events and the end that the frames bring to a reader. */
export function deliveryOf(frames: readonly Frame[]): Delivery {
  return frames.flatMap(({ message, data }): Delivery => {
    if (message["type"] === "run_finished") return ["end"];
    if (message["type"] !== "run_event") return [];
    return [eventOf(memberText(data, "event") ?? "{}")];
  });
}

/** A lease as the wire has it. */
export interface LeaseText {
  readonly fence: number;
  /** A time, as in clause W2 in `WIRE.md`. */
  readonly expiresAt: string;
}

/** The lease in an answer. */
export function leaseOf(answer: Answer): LeaseText {
  assertStatus(answer, 200);
  const body = answer.json();
  const names = Object.keys(body).toSorted();
  assertEqual(names, ["expiresAt", "fence"], `W31: the fields of the lease of ${answer.to}`);
  const { fence, expiresAt } = body;
  const isFence = Number.isSafeInteger(fence) && Number(fence) > 0;
  assert(isFence, `W31: a fence is a positive integer, got ${String(fence)}`);
  assertTime(expiresAt);
  return body as unknown as LeaseText;
}
