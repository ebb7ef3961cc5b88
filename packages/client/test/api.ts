import { expect } from "vitest";

const HEADERS = { authorization: "Bearer ada", "content-type": "application/json" };

/** Asks the server without the client. @returns the answer's JSON */
export async function post(port: number, path: string, body: unknown): Promise<unknown> {
  const url = `http://127.0.0.1:${port}/v1/agent-runs${path}`;
  const response = await fetch(url, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
  });
  expect(response.ok).toBe(true);
  return response.json();
}

/** The whole log of a run, as type and payload. */
export async function readLog(
  port: number,
  runId: string,
): Promise<readonly (readonly [string, unknown])[]> {
  const url = `http://127.0.0.1:${port}/v1/agent-runs/${runId}/events?limit=1000`;
  const page = (await (await fetch(url, { headers: HEADERS })).json()) as {
    readonly events: readonly { readonly eventType: string; readonly payload: unknown }[];
  };
  return page.events.map(({ eventType, payload }) => [eventType, payload] as const);
}
