import type { EventDraft } from "@tm/run-events-core";

/** A request as data. Each door sends it in its own way. */
export interface Ask {
  readonly method: string;
  /** The target as it is sent, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A text, with its length in the head; or pieces, which node:http gets as chunks. */
  readonly body?: string | readonly string[];
  /** The whole request as text, for a socket only: `method` then only decides how to read the answer. */
  readonly raw?: string;
  /** The name in the record. Default: what is sent. */
  readonly name?: string;
}

/** What a scene does next. */
export type Step =
  /** Asks, reads the answer to its end and records it. */
  | { readonly ask: Ask }
  /** Asks and goes on once the answer holds this text, or the handler holds this many long-polls. */
  | { readonly open: string; readonly ask: Ask; readonly until: string | number }
  /** Waits until what was opened has received this text this many times. */
  | { readonly await: string; readonly until: string; readonly times: number }
  /** Reads what was opened to its end and records it. */
  | { readonly end: string }
  /** Records what was opened so far and leaves. */
  | { readonly leave: string }
  /** The host appends. */
  | { readonly append: string; readonly events: readonly EventDraft[] }
  /** Moves the clocks of the handler and of the store. */
  | { readonly advanceMs: number }
  /** Ends a user's session. */
  | { readonly signOut: string }
  /** Cuts the store off, or mends it. */
  | { readonly store: "down" | "broken" | "up" }
  /** What `authenticate` does from now on. */
  | { readonly sessions: "down" | "malformed" | "up" }
  /** Shuts down. */
  | { readonly drainMs: number };

/** A world and what is asked of it, in order. */
export interface Scene {
  readonly name: string;
  /** Settings of the handler and of `createRunEvents`. */
  readonly options?: Readonly<Record<string, number | null | readonly string[]>>;
  /** The runs that are there, by id. They are ada's, but those whose id starts with `bob`. */
  readonly runs?: Readonly<Record<string, readonly EventDraft[]>>;
  /** Default both. */
  readonly door?: "fetch" | "node:http";
  readonly steps: readonly Step[];
}

/** Credentials by name. */
export const AS = {
  ada: { authorization: "Bearer ada" },
  bob: { authorization: "Bearer bob" },
  anonymous: {},
  session: { cookie: "session=ada" },
  "bob's session": { cookie: "session=bob" },
  both: { authorization: "Bearer ada", cookie: "session=ada" },
  "another scheme": { authorization: "Basic YWRhOg==" },
} as const;

export type User = keyof typeof AS;

type Rest = Partial<Omit<Ask, "method" | "path" | "headers">> & {
  readonly headers?: Ask["headers"];
};

/** A request by a user, by default ada. */
export function ask(
  method: string,
  path: string,
  { headers = {}, ...rest }: Rest = {},
  user: User = "ada",
): { readonly ask: Ask } {
  return {
    ask: {
      method,
      path,
      headers: { ...AS[user], ...headers },
      name: `${user}: ${method} ${path}`,
      ...rest,
    },
  };
}

/** A request with a JSON body: a value, or a text as it is sent. */
export function askJson(
  method: string,
  path: string,
  body: unknown,
  headers: Ask["headers"] = {},
  user: User = "ada",
): { readonly ask: Ask } {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const shown = text.length > 200 ? `${text.slice(0, 60)}… of ${text.length}` : text;
  const of = Object.entries(headers).map(([name, value]) => ` ${name}=${value}`);
  return ask(
    method,
    path,
    {
      headers: { "content-type": "application/json", ...headers },
      body: text,
      name: `${user}: ${method} ${path}${of.join("")} ${shown}`,
    },
    user,
  );
}

export const RUNS = "/v1/agent-runs";

/** The path of a run, or of what is under it. */
export function run(runId: string, leaf = ""): string {
  return `${RUNS}/${runId}${leaf}`;
}

export const note = (payload?: unknown): EventDraft =>
  payload === undefined ? { eventType: "NOTE" } : { eventType: "NOTE", payload };

export const phase = (name: string): EventDraft => ({
  eventType: "PHASE_STARTED",
  payload: { phase: name },
});

export const completed: EventDraft = { eventType: "RUN_COMPLETED", payload: { answer: 42 } };
