import { expect, it } from "vitest";
import { createMemoryStore } from "../src/index.ts";
import { STATE_PAUSE_MS } from "../src/follow/feed-state.ts";
import { createRunLog } from "../src/log/create-run-log.ts";
import { settle } from "./changes-world.ts";
import { createFakeClock } from "./fake-clock.ts";
import { appendRequest, newEvent } from "./run-record.ts";

it("W48: a page that is waited for has at most `limit` runs and ids, says that more have changed, and a reader gets all", async () => {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const log = createRunLog({ store, clock });
  const ids = Array.from({ length: 10 }, (_, at) => `r${at}`);
  for (const runId of ids) await log.createRun({ runId, ownerId: "ada" });
  const wait = (since: string | null, limit: number) =>
    log.waitForChanges({ ownerId: "ada", since, limit, signal: new AbortController().signal });
  let { cursor } = await log.listChanged({ ownerId: "ada", since: null, limit: 100 });
  const all = (eventType: string) =>
    store.append(ids.map((runId) => appendRequest([newEvent(eventType)], { runId })));
  const changes = [
    () => all("TOKEN"),
    () => all("RUN_COMPLETED"),
    () => Promise.all(ids.map((runId) => store.deleteRun(runId, null))),
    () => Promise.all(ids.map((runId) => log.createRun({ runId, ownerId: "ada" }))),
  ];
  for (const [at, change] of changes.entries()) {
    for (const limit of [1, 3]) {
      const seen = new Set<string>();
      let since = cursor;
      const first = wait(since, limit);
      await settle();
      if (limit === 1) await change();
      await settle();
      clock.advance(STATE_PAUSE_MS);
      for (let page = await first; ; page = await wait(since, limit)) {
        const news = [...page.runs.map(({ runId }) => runId), ...page.gone];
        expect([at, news.length]).toEqual([at, Math.min(news.length, limit)]);
        for (const runId of news) seen.add(runId);
        since = page.cursor;
        if (seen.size === ids.length) break;
        expect(page.hasMore).toBe(true);
      }
      if (limit === 3) cursor = since;
    }
  }
  await expect(wait(cursor, 0)).rejects.toMatchObject({ code: "invalid_request" });
  await log.close();
});
