import { expect, vi } from "vitest";
import { ADA, BOB } from "../client.ts";
import { type Check, MOST, NOTE, PATIENCE, settled } from "./check.ts";

/** Checks of pages, lists and polls. */
export const READING: readonly Check[] = [
  {
    id: "no credential",
    name: "W4: a request without a credential is 401, with a problem",
    async run({ call, createRun }) {
      const path = await createRun();
      for (const leaf of ["", "/events", "/stream"]) {
        const answer = await call("GET", path + leaf, { headers: {} });
        expect([leaf, answer.status]).toEqual([leaf, 401]);
        expect(answer.headers.get("www-authenticate")).not.toBe(null);
        expect(await answer.json()).toMatchObject({ status: 401 });
      }
    },
  },
  {
    id: "page",
    name: "W15: a poll gets the events after `since`",
    async run({ append, call, createRun }) {
      const path = await createRun();
      await append(path, `${NOTE},${NOTE},${NOTE}`);
      const page = await call("GET", `${path}/events?since=1&limit=1`);
      expect(page.status).toBe(200);
      expect(await page.json()).toMatchObject({
        events: [{ sequence: 2, eventType: "NOTE", payload: null }],
        lastSequence: 3,
        hasMore: true,
      });
    },
  },
  {
    id: "tokens",
    name: "W1: payloads come back token for token, in a page and on a stream",
    async run({ append, call, createRun, follow }) {
      const path = await createRun();
      const payload = '{"price":1.50,"id":12345678901234567890,"e":1E2,"text":"\\u00e9\u{1f375}"}';
      expect((await append(path, `{"eventType":"NOTE","payload":${payload}}`)).status).toBe(201);
      expect(await (await call("GET", `${path}/events`)).text()).toContain(payload);
      expect((await (await follow(path)).until("run_event")).data).toContain(payload);
    },
  },
  {
    id: "not modified",
    name: "W18: a page that has not changed is 304",
    async run({ append, call, createRun }) {
      const path = await createRun();
      await append(path, NOTE);
      const etag = (await call("GET", `${path}/events`)).headers.get("etag") ?? "";
      expect(etag).not.toBe("");
      const headers = { authorization: `Bearer ${ADA}`, "if-none-match": etag };
      const again = await call("GET", `${path}/events`, { headers });
      expect([again.status, await again.text()]).toEqual([304, ""]);
    },
  },
  {
    id: "held poll",
    name: "W17: a poll with `wait` is held until an event comes",
    async run({ append, call, createRun }) {
      const path = await createRun();
      const held = settled(call("GET", `${path}/events?wait=30`));
      await append(path, NOTE);
      expect(await (await held).json()).toMatchObject({ events: [{ sequence: 1 }] });
    },
  },
  {
    id: "held poll, left",
    name: "W28: the held polls of a client that leaves are let go",
    async run({ call, createRun }) {
      const headers = { authorization: `Bearer ${BOB}` };
      const path = `${await createRun(BOB)}/events`;
      const { signal, abort } = leaving();
      const polls = Array.from({ length: MOST + 1 }, () =>
        call("GET", `${path}?wait=30`, { headers, signal }).catch(() => null),
      );
      // All others are held when one of them is refused.
      expect((await Promise.race(polls))?.status).toBe(429);
      abort();
      await Promise.all(polls);
      const askAgain = async (): Promise<void> => {
        expect((await call("GET", `${path}?wait=1`, { headers })).status).toBe(200);
      };
      await vi.waitFor(askAgain, PATIENCE);
    },
  },
  {
    id: "list",
    name: "W14: a list has the newest run first, and goes on at its cursor",
    async run({ call, createRun }) {
      const older = await createRun();
      const newer = await createRun();
      const listed = async (query: string): Promise<List> => {
        const answer = await call("GET", `/v1/agent-runs?limit=1${query}`);
        expect(answer.status).toBe(200);
        return (await answer.json()) as List;
      };
      const first = await listed("");
      expect(newer).toMatch(new RegExp(`/${first.runs[0]?.runId}$`));
      const second = await listed(`&cursor=${encodeURIComponent(first.nextCursor)}`);
      expect(older).toMatch(new RegExp(`/${second.runs[0]?.runId}$`));
    },
  },
  {
    id: "gzip",
    name: "W15: a client that accepts compressed answers reads the same page",
    async run({ append, call, createRun }) {
      const path = await createRun();
      const payload = "a".repeat(4_000);
      await append(path, `{"eventType":"NOTE","payload":"${payload}"}`);
      const headers = { authorization: `Bearer ${ADA}`, "accept-encoding": "gzip" };
      const page = await call("GET", `${path}/events`, { headers });
      expect(await page.json()).toMatchObject({ events: [{ payload }] });
      return page.headers.get("content-encoding") === "gzip" ? "gzip" : "plain";
    },
  },
  {
    id: "HEAD",
    name: "W3, W19: HEAD has the status and the headers of GET, and opens no stream",
    async run({ append, call, createRun, signIn }) {
      const path = await createRun();
      await append(path, NOTE);
      const page = await call("GET", `${path}/events`);
      const head = await call("HEAD", `${path}/events`);
      expect([head.status, await head.text()]).toEqual([200, ""]);
      for (const name of ["content-type", "etag", "x-content-type-options"])
        expect([name, head.headers.get(name)]).toEqual([name, page.headers.get(name)]);
      const headers = { cookie: await signIn() };
      const stream = await call("HEAD", `${path}/stream`, { headers });
      // It would not end if it were the stream.
      expect([stream.status, await stream.text()]).toEqual([200, ""]);
      expect(stream.headers.get("content-type")).toContain("text/event-stream");
    },
  },
  {
    id: "broken escape",
    name: "W3: a broken escape in the path is 400, with a problem",
    async run({ call }) {
      for (const id of ["%zz", "%ff"]) {
        const answer = await call("GET", `/v1/agent-runs/${id}/events`);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ code: "invalid_request" });
      }
    },
  },
];

interface List {
  readonly runs: readonly { readonly runId: string }[];
  readonly nextCursor: string;
}

function leaving(): { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
