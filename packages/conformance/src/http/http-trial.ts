import { movePath, parseBasePath } from "@tm/run-events-core/wire";
import { assert } from "../assert.ts";
import type { CaseConditions } from "../build-cases.ts";
import type { RandomCheck } from "../random-check.ts";
import { untilAborted } from "../until-aborted.ts";
import { type Call, type Fetch, type HeaderList, sendCall } from "./call.ts";
import { sessionCookieIn } from "./session-cookie.ts";
import { openStream } from "./live-stream.ts";
import { type Line, WireUser } from "./wire-user.ts";

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

/** The server and the users of one case. Every answer that it has not read to its end is left when it ends. */
export interface HttpTrial extends Line {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The path of all runs. A case writes `/v1/agent-runs`: `send` and `follow` move its calls. */
  readonly basePath: string;
  readonly owner: WireUser;
  readonly stranger: WireUser;
  /** Tries many random inputs: how many, and which, is no affair of the case. */
  readonly check: RandomCheck;
  /** Runs a body on the server as it is then, with both users signed in again. */
  withNewSessions(body: (trial: HttpTrial) => Promise<void>): Promise<void>;
}

/** Cases for any server, by their names, which start with the clause. */
export type HttpCases = Readonly<Record<string, (trial: HttpTrial) => Promise<void>>>;

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
  const locate = (call: Call): Call => ({ ...call, path: movePath(call.path, basePath) });
  const open = new Set<{ leave(): void }>();
  let isOver = false;
  const line: Line = {
    send: (call) => sendCall(fetch, baseUrl, locate(call)),
    async follow(call) {
      const stream = await openStream(fetch, baseUrl, locate(call));
      open.add(stream);
      // The case may have ended meanwhile.
      if (isOver) stream.leave();
      return stream;
    },
  };

  async function signIn(token: string): Promise<WireUser> {
    const bearer = { authorization: `Bearer ${token}` };
    const cookie = await (cookieFor === undefined ? openSession(line, bearer) : cookieFor(token));
    return new WireUser(line, bearer, { cookie });
  }

  const [owner, stranger] = await Promise.all([signIn(tokens[0]), signIn(tokens[1])]);
  const withNewSessions: HttpTrial["withNewSessions"] = (inner) =>
    runHttpTrial(doors, inner, conditions);
  const trial = { baseUrl, basePath, owner, stranger, ...line, check, withNewSessions };
  try {
    await untilAborted(body(trial), signal);
  } finally {
    isOver = true;
    for (const one of open) one.leave();
  }
}

async function openSession({ send }: Line, bearer: HeaderList): Promise<string> {
  const { status, headers } = await send({ method: "POST", path: "/v1/session", headers: bearer });
  const cookie = sessionCookieIn(headers);
  assert(
    status === 204 && cookie !== null,
    `W29: POST /v1/session with a bearer token is 204 and sets run_events_session, or over https __Host-run_events_session, got ${status}; a server without it needs \`cookieFor\``,
  );
  return cookie.pair;
}
