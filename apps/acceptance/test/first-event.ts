import { expect } from "vitest";

/** Checks that a server has the console, and that an event goes in and comes out. */
export async function expectFirstEvent(url: string, token: string): Promise<void> {
  const page = await (await fetch(url)).text();
  const [, script = ""] = /src="(\/assets\/[^"]+)"/.exec(page) ?? [];
  expect((await fetch(url + script)).status, script).toBe(200);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const runs = `${url}/v1/agent-runs`;
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(runs + path, { method: "POST", headers, body: JSON.stringify(body) });
  expect((await post("", { runId: "first" })).status).toBe(201);
  const events = [{ eventType: "STEP", payload: 1 }];
  expect((await post("/first/events", { events })).status).toBe(201);
  const answer = await fetch(`${runs}/first/events?since=0`, { headers });
  expect(await answer.json()).toMatchObject({ events: [{ sequence: 1, eventType: "STEP" }] });
}
