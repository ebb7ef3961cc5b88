import { describe, expect, it } from "vitest";
import { type Answer, type Call, post } from "./harness/answer.ts";
import { eventually } from "./harness/eventually.ts";
import type { LiveStream } from "./harness/live-stream.ts";
import { DOORS, openWorld, type World } from "./harness/world.ts";

const RUNS = "/v1/agent-runs";
const RUN = `${RUNS}/r`;
const USERS = ["ada", "bob"] as const;

/** One of two users who have a run `r` each. */
interface User {
  readonly name: string;
  get(path: string): Promise<Answer>;
  send(method: string, path: string, body?: object, key?: Call["headers"]): Promise<Answer>;
  follow(query: string): Promise<LiveStream>;
}

function userOf(world: World, name: string): User {
  const bearer = { authorization: `Bearer ${name}` };
  return {
    name,
    get: (path) => world.send({ path, headers: bearer }),
    send: (method, path, body = {}, headers = {}) =>
      world.send({ ...post(path, body, { ...bearer, ...headers }), method }),
    follow: (path) => world.follow({ path, headers: { cookie: `session=${name}` } }),
  };
}

/** Creates both runs. They are alike: of one id, one topic, and the first of their owners. */
async function createBoth(world: World): Promise<readonly User[]> {
  const users = USERS.map((name) => userOf(world, name));
  for (const { name, send } of users) {
    const run = { runId: "r", topic: "tea", exclusive: true, metadata: name };
    const answer = await send("POST", RUNS, run);
    expect([answer.status, answer.json()]).toMatchObject([201, { ownerId: name, metadata: name }]);
  }
  return users;
}

describe.each(DOORS)("%s", (door) => {
  it("W4, W17, W20, W47, W48: each user's polls that wait and live streams bring the user's own run", async () => {
    await using world = await openWorld(door);
    const users = await createBoth(world);
    const readers = await Promise.all(users.map((user) => readAll(user)));
    await eventually(() => expect(world.stats().waiting).toBe(2 * users.length));
    for (const [at, { name, send }] of users.entries()) {
      const events = [{ eventType: "SAID", payload: name }, { eventType: "RUN_COMPLETED" }];
      expect((await send("POST", `${RUN}/events`, { events })).status).toBe(201);
      const { page, list, run, runs, feed } = readers[at] ?? {};
      const event = { sequence: 1, payload: name };
      expect((await page)?.json()).toMatchObject({ events: [event, {}], lastSequence: 2 });
      const owned = { runId: "r", ownerId: name, lastSequence: 2 };
      expect((await list)?.json()).toMatchObject({ runs: [owned] });
      expect((await run?.rest())?.map(({ data }) => data)).toMatchObject([
        { type: "connected" },
        { type: "run_event", event },
        { type: "run_event", event: { sequence: 2 } },
        { type: "run_finished" },
      ]);
      const many = (await runs?.rest())?.filter(({ data }) => data["type"] === "run_event");
      expect(many?.map(({ data }) => data["event"])).toMatchObject([event, { sequence: 2 }]);
      expect((await feed?.until("run"))?.at(-1)?.data).toMatchObject({ run: owned });
      feed?.leave();
      await world.turn();
      expect(world.stats().waiting).toBe(2 * (users.length - at - 1));
    }
  });
});

/** Every reader that waits. */
interface Readers {
  readonly page: Promise<Answer>;
  readonly list: Promise<Answer>;
  readonly run: LiveStream;
  readonly runs: LiveStream;
  readonly feed: LiveStream;
}

/** Opens every reader that waits, of a run without events. */
async function readAll({ get, follow }: User): Promise<Readers> {
  const { version } = (await get(`${RUNS}?feed=live`)).json();
  const feed = await follow(`${RUNS}/stream?feed=live`);
  await feed.until("feed_version");
  return {
    page: get(`${RUN}/events?wait=30`),
    list: get(`${RUNS}?feed=live&have=${String(version)}&wait=30`),
    run: await follow(`${RUN}/stream`),
    runs: await follow(`${RUNS}/stream?runs=r:0`),
    feed,
  };
}
