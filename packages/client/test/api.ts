import { expect } from "vitest";

const HEADERS = { authorization: "Bearer ada", "content-type": "application/json" };

/**
 * Calls the server without the client.
 * @returns the answer's JSON
 */
export async function post(port: number, path: string, body: unknown): Promise<unknown> {
  const response = await send(port, path, body);
  expect(response.ok).toBe(true);
  return response.json();
}

async function send(
  port: number,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1/agent-runs${path}`, {
    method: "POST",
    headers: { ...HEADERS, ...headers },
    body: JSON.stringify(body),
  });
}

/**
 * Creates a run.
 * @returns its id
 */
export async function createRun(port: number): Promise<string> {
  return ((await post(port, "", {})) as { readonly runId: string }).runId;
}

/**
 * Claims a run as another worker, as soon as it is free.
 * @returns a function that appends to the run under that fence
 */
export async function takeOver(
  port: number,
  runId: string,
): Promise<(eventType: string) => Promise<Response>> {
  let fence = 0;
  await expect
    .poll(
      async () => {
        const response = await send(port, `/${runId}/claim`, { leaseMs: 60_000 });
        if (response.ok) ({ fence } = (await response.json()) as { readonly fence: number });
        return response.status;
      },
      { timeout: 30_000 },
    )
    .toBe(200);
  return async (eventType) =>
    send(port, `/${runId}/events`, { events: [{ eventType }] }, { "run-fence": `${fence}` });
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
