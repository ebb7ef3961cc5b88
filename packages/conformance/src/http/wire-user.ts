import { assertStatus } from "./assert-answer.ts";
import type { Answer, Call, HeaderList } from "./call.ts";
import type { Draft } from "./draft.ts";
import type { LiveStream } from "./live-stream.ts";
import { JSON_TYPE, type Query, RUNS, RUNS_STREAM, withQuery } from "./paths.ts";
import { WireRun } from "./wire-run.ts";

/** The ways in which a user sends calls. */
export interface Line {
  /** Sends a request unchanged: without a credential unless its headers have one. */
  send(call: Call): Promise<Answer>;
  /** Sends a request whose answer is a live stream, or is read late. */
  follow(call: Call): Promise<LiveStream>;
}

/** One user of the server, who asks by the token unless a call has another credential. */
export class WireUser {
  readonly bearer: HeaderList;
  readonly session: HeaderList;
  readonly line: Line;

  constructor(line: Line, bearer: HeaderList, session: HeaderList) {
    this.line = line;
    this.bearer = bearer;
    this.session = session;
  }

  /** A request with a body of JSON, or without one. */
  call(method: string, path: string, body?: Call["body"], headers: HeaderList = {}): Call {
    if (body === undefined) return { method, path, headers: { ...this.bearer, ...headers } };
    return { method, path, headers: { ...this.bearer, ...JSON_TYPE, ...headers }, body };
  }

  get(path: string, headers: HeaderList = {}): Promise<Answer> {
    return this.line.send(this.call("GET", path, undefined, headers));
  }

  post(path: string, body?: Call["body"], headers: HeaderList = {}): Promise<Answer> {
    return this.line.send(this.call("POST", path, body, headers));
  }

  /** Asks for a run with these fields. */
  create(fields: object, headers: HeaderList = {}): Promise<Answer> {
    return this.post(RUNS, JSON.stringify(fields), headers);
  }

  /** Creates a run that is new, with these fields. */
  async createNew(fields: object = {}): Promise<WireRun> {
    const answer = await this.create(fields);
    assertStatus(answer, 201);
    return this.run(String(answer.json()["runId"]));
  }

  /** Creates a run with these events. */
  async record(...drafts: readonly Draft[]): Promise<WireRun> {
    const run = await this.createNew();
    if (drafts.length > 0) await run.land(drafts);
    return run;
  }

  /** A run of this id, which need not exist. */
  run(id: string): WireRun {
    return new WireRun(this, id);
  }

  /** Asks for a list. */
  list(query: Query = ""): Promise<Answer> {
    return this.get(withQuery(RUNS, query));
  }

  /** Asks for a stream by the session. */
  follow(path: string, query: Query = "", headers: HeaderList = this.session): Promise<LiveStream> {
    return this.line.follow({ path: withQuery(path, query), headers });
  }

  /** Asks for the stream of these runs, each with its cursor, by the session. */
  followRuns(
    starts: readonly (readonly [run: { readonly id: string }, cursor: number])[],
  ): Promise<LiveStream> {
    return this.follow(RUNS_STREAM, `runs=${starts.map(([{ id }, at]) => `${id}:${at}`).join()}`);
  }
}

/** The runs in a list, by their ids. */
export function idsIn(answer: Answer): readonly string[] {
  return runsIn(answer).map(({ runId }) => String(runId));
}

/** The runs in a list. */
export function runsIn(answer: Answer): readonly Readonly<Record<string, unknown>>[] {
  assertStatus(answer, 200);
  return answer.json()["runs"] as readonly Readonly<Record<string, unknown>>[];
}

/** A topic that no run has, which begins so. */
export function newTopic(start = "topic"): string {
  return `${start} ${crypto.randomUUID()}`;
}
