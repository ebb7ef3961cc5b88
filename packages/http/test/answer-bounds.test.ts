import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHandler, type Identity } from "../src/index.ts";
import { ADA } from "./harness/accounts.ts";
import { eventually } from "./harness/eventually.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const IDENTITY: Identity = { userId: "ada", credential: "bearer" };
const PAGE_BYTES = 4_194_304;
const SLICE = { eventType: "NOTE", payload: "x".repeat(262_000) };

describe.each(DOORS)("%s", (door) => {
  it.each([1, 1_000, PAGE_BYTES - 1])(
    "W49: a bound of %i bytes, less than a page, refuses no user whose answers come one at a time",
    async (maxBytesPerUser) => {
      await using world = await openWorld(door, { maxBytesPerUser });
      const runId = await world.record();
      for (let at = 0; at < 40; at++) await world.ada.append(runId, [SLICE]);
      const metadata = SLICE.payload;
      for (let at = 0; at < 20; at++) await world.runs.create({ ownerId: "ada", metadata });
      const lengths: number[] = [];
      const seen: number[] = [];
      for (let hasMore = true; hasMore;) {
        const path = `/v1/agent-runs/${runId}/events?since=${seen.at(-1) ?? 0}`;
        const answer = await world.send({ path, headers: ADA });
        expect(answer.status).toBe(200);
        const page = answer.json() as {
          readonly events: readonly { readonly sequence: number }[];
          readonly hasMore: boolean;
        };
        ({ hasMore } = page);
        seen.push(...page.events.map(({ sequence }) => sequence));
        lengths.push(answer.text.length);
      }
      expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
      const list = await world.send({ path: "/v1/agent-runs?limit=200", headers: ADA });
      expect(list.status).toBe(200);
      lengths.push(list.text.length);
      expect(Math.max(...lengths)).toBeGreaterThan(0.9 * PAGE_BYTES);
    },
  );
});

it("W49: a page ends early where the user's unread answers leave no room for its next slice, and is refused where they leave none", async () => {
  const runs = createRunEvents({ store: createMemoryStore() });
  onTestFinished(() => runs.close());
  const maxBytesPerUser = 1.5 * PAGE_BYTES;
  const handler = createHandler({ runs, maxBytesPerUser, authenticate: () => IDENTITY });
  await runs.create({ ownerId: "ada", runId: "r" });
  for (let at = 0; at < 40; at++) await runs.as("ada").append("r", [SLICE]);
  const ask = async (since = 0): Promise<Response> =>
    handler.fetch(new Request(`http://localhost/v1/agent-runs/r/events?since=${since}`));
  const unread = await ask();
  const short = await ask();
  expect([unread.status, short.status]).toEqual([200, 200]);
  expect(handler.stats().inFlight.answerBytes).toBeLessThanOrEqual(maxBytesPerUser);
  expect((await ask()).status).toBe(429);
  const page = (await short.json()) as {
    readonly events: readonly { readonly sequence: number }[];
    readonly hasMore: boolean;
  };
  expect(page.hasMore).toBe(true);
  expect(page.events.length).toBeGreaterThan(1);
  expect(page.events.length).toBeLessThan(10);
  // The next page goes on where this one has ended.
  const next = (await (await ask(page.events.length)).json()) as typeof page;
  expect(next.events[0]?.sequence).toBe(page.events.length + 1);
  await unread.text();
  const whole = await ask();
  expect([whole.status, (await whole.text()).length]).toEqual([
    200,
    Number(unread.headers.get("content-length")),
  ]);
});

it.each(["at once", "after a wait"])(
  "W48, W49: a list for which the user's unread answers leave no room are refused, %s",
  async (when) => {
    const runs = createRunEvents({ store: createMemoryStore() });
    onTestFinished(() => runs.close());
    const maxBytesPerUser = 2 * SLICE.payload.length + 20_000;
    const handler = createHandler({ runs, maxBytesPerUser, authenticate: () => IDENTITY });
    await runs.create({ ownerId: "ada", runId: "r" });
    await runs.as("ada").append("r", [SLICE, SLICE]);
    const ask = (path: string): Promise<Response> =>
      handler.fetch(new Request(`http://localhost/v1/agent-runs${path}`));
    const { version } = (await (await ask("?feed=live")).json()) as { readonly version: string };
    const unread = await ask("/r/events");
    // A short answer: only what the route itself counts can refuse it.
    const change = { ownerId: "ada", runId: "new", metadata: "x".repeat(30_000) };
    if (when === "at once") await runs.create(change);
    const answering = ask(`?feed=live&have=${version}&wait=30`);
    if (when === "after a wait") {
      await eventually(() => expect(handler.stats().waiting).toBe(1));
      await runs.create(change);
    }
    const refused = await answering;
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { code: "too_many_requests" },
    ]);
    await unread.text();
    const next = await ask(`?feed=live&have=${version}&wait=30`);
    expect([next.status, await next.json()]).toMatchObject([
      200,
      { runs: [{ runId: "new" }, { runId: "r" }] },
    ]);
    expect(handler.stats().inFlight).toMatchObject({ requests: 0, answerBytes: 0 });
  },
);
