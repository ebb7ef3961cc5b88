import { movePath, parseBasePath } from "@tm/run-events-core/wire";
import { assert } from "../assert.ts";
import type { CaseConditions } from "../build-cases.ts";
import type { RandomCheck } from "../random-check.ts";
import { untilAborted } from "../until-aborted.ts";
import { type Answer, type Call, type Fetch, type HeaderList, sendCall } from "./call.ts";
import { type HeldAnswer, holdAnswer } from "./held-answer.ts";
import { type LiveStream, openStream } from "./live-stream.ts";
import { sessionCookieIn } from "./session-cookie.ts";

/** The server, and the users that the kit is on it. */
export interface HttpDoors {
  /** The server's URL, such as `http://127.0.0.1:8080`; a function if it is known only when a case runs. */
  readonly baseUrl: string | (() => string | Promise<string>);
  /**
   * The path of all runs, if the server has another one.
   * @defaultValue `"/v1/agent-runs"`
   * @see clause W50 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly basePath?: string | undefined;
  /** The bearer tokens of two users, whose runs the kit creates, reads and deletes. */
  readonly tokens: readonly [string, string];
  /**
   * Returns the `Cookie` header of a session of the token's user. Called for each case.
   * @defaultValue the kit opens a session with `POST /v1/session`
   * @see clause W29 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly cookieFor?: (token: string) => string | Promise<string>;
  /**
   * Answers the requests, for a handler without a port.
   * @defaultValue the runtime's `fetch`
   */
  readonly fetch?: Fetch;
}

/** One user's headers, by either credential. */
interface User {
  readonly bearer: HeaderList;
  readonly session: HeaderList;
}

/** The server and the users of one case. Every stream that it opens, and every answer that it holds, is left when it ends. */
export interface HttpTrial {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The path of all runs. A case writes `/v1/agent-runs`: `send`, `follow` and `hold` move its calls. */
  readonly basePath: string;
  readonly owner: User;
  readonly stranger: User;
  /** Sends a request unchanged: without a credential unless its headers have one. */
  send(call: Call): Promise<Answer>;
  /** Sends a request whose answer is a live stream. */
  follow(call: Call): Promise<LiveStream>;
  /** Sends a request, and does not read the body of its answer. */
  hold(call: Call): Promise<HeldAnswer>;
  /** Tries many random inputs: how many, and which, is no affair of the case. */
  readonly check: RandomCheck;
  /** Runs a body on the server as it is then, with both users signed in again. */
  withNewSessions(body: (trial: HttpTrial) => Promise<void>): Promise<void>;
}

/** One case before it knows its server. The name starts with the clause. */
export interface HttpTrialCase {
  readonly name: string;
  readonly run: (trial: HttpTrial) => Promise<void>;
}

/**
 * Signs both users in and runs one body.
 * @throws what the body throws; the signal's reason if that came first
 */
export async function runHttpTrial(
  doors: HttpDoors,
  body: (trial: HttpTrial) => Promise<void>,
  conditions: CaseConditions,
): Promise<void> {
  const { check, signal } = conditions;
  signal?.throwIfAborted();
  const { tokens, cookieFor, fetch = (request) => globalThis.fetch(request) } = doors;
  const given = typeof doors.baseUrl === "string" ? doors.baseUrl : await doors.baseUrl();
  const baseUrl = given.replace(/\/$/, "");
  const basePath = parseBasePath(doors.basePath);
  const open = new Set<{ leave(): void }>();
  const locate = (call: Call): Call => ({ ...call, path: movePath(call.path, basePath) });
  const send = (call: Call): Promise<Answer> => sendCall(fetch, baseUrl, locate(call));

  async function signIn(token: string): Promise<User> {
    const bearer = { authorization: `Bearer ${token}` };
    const cookie = await (cookieFor === undefined ? openSession(send, bearer) : cookieFor(token));
    return { bearer, session: { cookie } };
  }

  const [owner, stranger] = await Promise.all([signIn(tokens[0]), signIn(tokens[1])]);
  let isOver = false;

  /** Registers something to leave when the case ends, or at once if it has ended. */
  function keep<One extends { leave(): void }>(one: One): One {
    open.add(one);
    if (isOver) one.leave();
    return one;
  }

  const trial: HttpTrial = {
    baseUrl,
    basePath,
    owner,
    stranger,
    send,
    follow: async (call) => keep(await openStream(fetch, baseUrl, locate(call))),
    hold: async (call) => keep(await holdAnswer(fetch, baseUrl, locate(call))),
    check,
    withNewSessions: (inner) => runHttpTrial(doors, inner, conditions),
  };
  try {
    await untilAborted(body(trial), signal);
  } finally {
    isOver = true;
    for (const one of open) one.leave();
  }
}

async function openSession(
  send: (call: Call) => Promise<Answer>,
  bearer: HeaderList,
): Promise<string> {
  const { status, headers } = await send({ method: "POST", path: "/v1/session", headers: bearer });
  const cookie = sessionCookieIn(headers);
  assert(
    status === 204 && cookie !== null,
    `W29: POST /v1/session with a bearer token is 204 and sets run_events_session, or over https __Host-run_events_session, got ${status}; a server without it needs \`cookieFor\``,
  );
  return cookie.pair;
}
