import type { RunEvent, RunSnapshot } from "@tm/run-events-core";
import { TOKEN } from "./server-process.ts";

/** An answer, its body read: a JSON value, or text. */
export interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

/** A page, as polling gets it. */
export interface Page {
  readonly events: readonly RunEvent[];
  readonly runStatus: RunSnapshot["runStatus"];
  readonly lastSequence: number;
}

/** Calls any path as `ada`. Rejects if no answer comes. */
export async function call(
  serverUrl: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(new URL(path, serverUrl), {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body:
      body === undefined || isRaw ? ((body as string | undefined) ?? null) : JSON.stringify(body),
  });
  const type = response.headers.get("content-type");
  const text = await response.text();
  return { status: response.status, type, body: type?.includes("json") ? JSON.parse(text) : text };
}

/** The `Cookie` header of a new session of `ada`. */
export async function signIn(serverUrl: string): Promise<string> {
  const response = await fetch(new URL("/v1/session", serverUrl), {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const [cookie] = response.headers.getSetCookie();
  return cookie?.split(";", 1)[0] ?? "";
}

/** The run's events as a poller gets them: page after page, until one says that nothing follows or the run has ended. */
export async function readLog(serverUrl: string, runId: string): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (;;) {
    const since = events.at(-1)?.sequence ?? 0;
    const path = `/v1/agent-runs/${runId}/events?since=${since}&limit=1000`;
    const page = (await call(serverUrl, "GET", path)).body as Page;
    events.push(...page.events);
    if ((events.at(-1)?.sequence ?? 0) >= page.lastSequence) return events;
  }
}
