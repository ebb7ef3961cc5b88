import { expect } from "vitest";
import { ADA } from "../client.ts";
import { type Check, NOTE } from "./check.ts";

const ORIGIN = "https://app.example";
const FOREIGN = "https://evil.example";

/** Checks of what changes something, of pages of other origins, and of the app's own paths. */
export const WRITING: readonly Check[] = [
  {
    id: "create",
    name: "W8: a run is created, and found at its Location",
    async run({ call }) {
      const metadata = { title: "Tea" };
      const created = await call("POST", "/v1/agent-runs", { body: { metadata } });
      expect(created.status).toBe(201);
      const location = created.headers.get("location") ?? "";
      const run = await call("GET", location);
      const snapshot: unknown = await created.json();
      expect(snapshot).toMatchObject({ runStatus: "queued", metadata });
      expect([run.status, await run.json()]).toEqual([200, snapshot]);
    },
  },
  {
    id: "append",
    name: "W9, W10: events are appended, and with a key once",
    async run({ call, createRun }) {
      const path = `${await createRun()}/events`;
      const body = { events: [{ eventType: "NOTE", payload: { text: "x".repeat(100_000) } }] };
      const headers = { authorization: `Bearer ${ADA}`, "idempotency-key": "once" };
      const first = await call("POST", path, { body, headers });
      expect([first.status, await first.json()]).toMatchObject([201, { lastSequence: 1 }]);
      const again = await call("POST", path, { body, headers });
      expect([again.status, await again.json()]).toMatchObject([200, { replayed: true }]);
    },
  },
  {
    id: "NDJSON live",
    name: "W12: lines are appended as they arrive, and their end gets a receipt",
    async run({ call, createRun, upload }) {
      const path = await createRun();
      const lines = upload(path);
      for (const sequence of [1, 2, 3]) {
        lines.write(`${NOTE}\n`);
        const page = await call("GET", `${path}/events?since=${sequence - 1}&wait=30`);
        expect(await page.json()).toMatchObject({ events: [{ sequence }] });
      }
      lines.end();
      const answer = await lines.answer;
      expect([answer.status, await answer.json()]).toMatchObject([
        201,
        { firstSequence: 1, lastSequence: 3 },
      ]);
    },
  },
  {
    id: "NDJSON broken off",
    name: "W12: of lines that break off, the whole ones stay, and no part of one",
    async run({ append, call, createRun, upload }) {
      const path = await createRun();
      const lines = upload(path);
      lines.write(`${NOTE}\n${NOTE}`);
      await call("GET", `${path}/events?wait=30`);
      lines.leave();
      const later = await call("GET", `${path}/events?since=1&wait=1`);
      expect(await later.json()).toMatchObject({ events: [], lastSequence: 1 });
      expect(await (await append(path, NOTE)).json()).toMatchObject({ lastSequence: 2 });
    },
  },
  {
    id: "foreign page",
    name: "W5: a page of another site cannot change anything by session",
    async run({ call, createRun, signIn }) {
      const path = await createRun();
      const cookie = await signIn();
      const body = { events: [{ eventType: "NOTE" }] };
      for (const origin of [FOREIGN, "null"]) {
        const headers = { cookie, origin };
        const answer = await call("POST", `${path}/events`, { body, headers });
        expect(answer.status).toBe(403);
        expect(await answer.json()).toMatchObject({ code: "cross_site_request" });
        expect(answer.headers.get("access-control-allow-origin")).toBe(null);
      }
      expect(await (await call("GET", `${path}/events`)).json()).toMatchObject({ events: [] });
    },
  },
  {
    id: "CORS preflight",
    name: "W5, W10: the preflight of a page of a listed origin passes, that of another fails",
    async run({ call }) {
      const ask = (method: string, leaf: string, origin: string): Promise<Response> =>
        call("OPTIONS", `/v1/agent-runs/r${leaf}`, {
          headers: {
            origin,
            "access-control-request-method": method,
            "access-control-request-headers": "content-type,idempotency-key",
          },
        });
      for (const [method, leaf] of [
        ["POST", "/events"],
        ["DELETE", ""],
      ] as const) {
        const asked = await ask(method, leaf, ORIGIN);
        expect(asked.ok).toBe(true);
        expect(asked.headers.get("access-control-allow-origin")).toBe(ORIGIN);
        expect(asked.headers.get("access-control-allow-credentials")).toBe("true");
        const listOf = (name: string): readonly string[] =>
          (asked.headers.get(`access-control-allow-${name}`) ?? "").toLowerCase().split(/, */);
        expect(listOf("methods")).toContain(method.toLowerCase());
        expect(listOf("headers")).toEqual(
          expect.arrayContaining(["content-type", "idempotency-key"]),
        );
      }
      const foreign = await ask("POST", "/events", FOREIGN);
      expect(foreign.headers.get("access-control-allow-origin")).toBe(null);
    },
  },
  {
    id: "CORS",
    name: "W5, W19: a page of a listed origin may read, change and follow by session",
    async run({ call, createRun, follow, signIn }) {
      const path = await createRun();
      const headers = { cookie: await signIn(), origin: ORIGIN };
      const body = { events: [{ eventType: "NOTE" }] };
      const sent = await call("POST", `${path}/events`, { body, headers });
      expect(sent.status).toBe(201);
      const stream = await follow(path, headers);
      for (const answer of [sent, stream]) {
        expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
        expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
      }
    },
  },
  {
    id: "own JSON path",
    name: "W9: the app's own path still gets its JSON body",
    async run({ call }) {
      const body = { text: "own".repeat(1_000), list: [1, null, {}] };
      const echo = await call("POST", "/echo", { body });
      expect([echo.status, await echo.json()]).toEqual([200, body]);
    },
  },
];
