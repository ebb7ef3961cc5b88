import { randomUUID } from "node:crypto";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openStoreUrl } from "../open-store-url.ts";
import { startChat } from "./start-chat.ts";

/** Where a store is, for tests whose runs have ids of their own. */
export interface Place {
  readonly url: string;
  close(): Promise<void>;
}

/** What a process of a chat writes before it is stopped, and in all. */
const FIRST = tokens(0, 8);
const ALL = tokens(0, 20);

function tokens(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, at) => `TOKEN "t${from + at}"`);
}

/** What becomes of the runs of a chat when its processes are deployed, killed or shut down, on one store. */
export function describeDeploys(name: string, start: () => Promise<Place>): void {
  describe(`a chat on ${name}`, () => {
    let place: Place;
    let url: string;
    let runs: RunEvents;
    let runId: string;

    beforeAll(async () => {
      place = await start();
      ({ url } = place);
    });
    afterAll(() => place.close());

    beforeEach(async () => {
      runId = randomUUID();
      const { store, close } = await openStoreUrl(url);
      runs = createRunEvents({ store });
      onTestFinished(async () => {
        await runs.close();
        await close();
      });
    });

    async function log(): Promise<readonly string[]> {
      const { events } = await runs.read(runId);
      return events.map(({ eventType, payload }) => `${eventType} ${JSON.stringify(payload)}`);
    }

    it("W42: a deploy in mid-answer does not complete the run, though the model's stream just ends, and the next version goes on", async () => {
      const old = startChat(url, runId, "end");
      await old.printed("thinking");
      await old.stop();
      expect(await old.nextLine()).toMatch(/^gave up: store_unavailable .*shutting down/);
      // What the task had given is there, and the run is free.
      expect(await log()).toStrictEqual(FIRST);
      expect(await runs.get(runId)).toMatchObject({ runStatus: "running", lease: null });
      const next = startChat(url, runId, "resume");
      await next.printed("answered done");
      expect(await log()).toStrictEqual([...ALL, 'RUN_COMPLETED "done"']);
      await next.stop();
    });

    it("W37, W42: a run that a deploy released, and that no worker claims again, is ended by the next version's upkeep", async () => {
      const old = startChat(url, runId, "throw");
      await old.printed("thinking");
      await old.stop();
      expect(await runs.get(runId)).toMatchObject({ runStatus: "running", lease: null });
      const next = startChat(url, "none", "sweep");
      await next.printed(`ended ${runId}`);
      expect(await log()).toStrictEqual([...FIRST, 'RUN_FAILED {"reason":"abandoned"}']);
      await next.stop();
    });

    it("W42, W43: a chat with one server ends its run as failed when it is deployed", async () => {
      const old = startChat(url, runId, "fail");
      await old.printed("thinking");
      await old.stop();
      expect(await log()).toStrictEqual([...FIRST, 'RUN_FAILED {"reason":"shutdown"}']);
    });

    it("W37, W43: a run whose process is killed between its creation and its claim is ended by the upkeep", async () => {
      const killed = startChat(url, runId, "create");
      await killed.printed("created");
      await killed.kill();
      expect(await runs.get(runId)).toMatchObject({ runStatus: "queued", lease: null });
      const next = startChat(url, "none", "sweep");
      await next.printed(`ended ${runId}`);
      expect(await log()).toStrictEqual(['RUN_FAILED {"reason":"never_started"}']);
      await next.stop();
    });

    it("W33, W36: a run that was started with its lease ends by the lease when its process is killed", async () => {
      const killed = startChat(url, runId, "end");
      await killed.printed("thinking");
      await killed.kill();
      const next = startChat(url, "none", "sweep");
      await next.printed(`ended ${runId}`);
      const written = await log();
      expect(written.at(-1)).toBe('RUN_FAILED {"reason":"lease_expired"}');
      // Some of the last tokens may have been on their way. None is lost between others.
      expect(written.slice(0, -1)).toStrictEqual(FIRST.slice(0, written.length - 1));
      await next.stop();
    });

    it("S28: a released run that the next version claims while others sweep has one end", async () => {
      const old = startChat(url, runId, "end");
      await old.printed("thinking");
      const sweepers = [startChat(url, "none", "hurry"), startChat(url, "none", "hurry")];
      const next = startChat(url, runId, "resume");
      for (const one of [...sweepers, next]) await one.printed("competing");
      await old.stop();
      const line = await next.nextLine();
      const isAnswered = line === "answered done";
      if (!isAnswered) expect(line).toMatch(/^gave up: run_finished/);
      const end = isAnswered ? 'RUN_COMPLETED "done"' : 'RUN_FAILED {"reason":"abandoned"}';
      expect(await log()).toStrictEqual([...(isAnswered ? ALL : FIRST), end]);
      for (const one of [...sweepers, next]) await one.stop();
    });
  });
}
