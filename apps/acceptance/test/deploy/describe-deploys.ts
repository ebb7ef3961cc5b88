import { randomUUID } from "node:crypto";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openStoreUrl } from "../open-store-url.ts";
import { type Act, type ChatProcess, startChat } from "./start-chat.ts";

/** A store that tests share, each with run ids of its own. */
export interface Place {
  readonly url: string;
  close(): Promise<void>;
}

/** The output of a chat process before it is stopped, and in all. */
const FIRST = tokens(0, 8);
const ALL = tokens(0, 20);

/** The run of one test, and the processes of its chat. */
interface Chat {
  readonly runId: string;
  readonly runs: RunEvents;
  /** Starts a process of the chat, for this run or for none. */
  start(runId: string, act: Act): ChatProcess;
  log(): Promise<readonly string[]>;
}

function tokens(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, at) => `TOKEN "t${from + at}"`);
}

/** Tests what happens to a chat's runs when its processes are deployed, killed or shut down, on one store. */
export function describeDeploys(name: string, start: () => Promise<Place>): void {
  describe(`a chat on ${name}`, () => {
    const chat = useChat(start);
    itIsDeployed(chat);
    itIsKilled(chat);
  });
}

function useChat(start: () => Promise<Place>): Chat {
  let place: Place;
  let runs: RunEvents;
  let runId: string;
  beforeAll(async () => {
    place = await start();
  });
  afterAll(() => place.close());
  beforeEach(async () => {
    runId = randomUUID();
    const { store, close } = await openStoreUrl(place.url);
    runs = createRunEvents({ store });
    onTestFinished(async () => {
      await runs.close();
      await close();
    });
  });
  return {
    get runId() {
      return runId;
    },
    get runs() {
      return runs;
    },
    start: (id, act) => startChat(place.url, id, act),
    async log() {
      const { events } = await runs.as("ada").read(runId);
      return events.map(({ eventType, payload }) => `${eventType} ${JSON.stringify(payload)}`);
    },
  };
}

function itIsDeployed(chat: Chat): void {
  it("W42: a deploy in mid-answer does not complete the run, though the model's stream just ends, and the next version goes on", async () => {
    const old = chat.start(chat.runId, "end");
    await old.printed("thinking");
    await old.stop();
    expect(await old.nextLine()).toMatch(/^gave up: store_unavailable .*shutting down/);
    // Everything that the task emitted is in the log, and the run is free.
    expect(await chat.log()).toStrictEqual(FIRST);
    expect(await chat.runs.as("ada").get(chat.runId)).toMatchObject({
      runStatus: "running",
      lease: null,
    });
    const next = chat.start(chat.runId, "resume");
    await next.printed("answered done");
    expect(await chat.log()).toStrictEqual([...ALL, 'RUN_COMPLETED "done"']);
    await next.stop();
  });

  it("W37, W42: a run that a deploy released, and that no worker claims again, is ended by the next version's upkeep", async () => {
    const old = chat.start(chat.runId, "throw");
    await old.printed("thinking");
    await old.stop();
    expect(await chat.runs.as("ada").get(chat.runId)).toMatchObject({
      runStatus: "running",
      lease: null,
    });
    const next = chat.start("none", "sweep");
    await next.printed(`ended ${chat.runId}`);
    expect(await chat.log()).toStrictEqual([...FIRST, 'RUN_FAILED {"reason":"abandoned"}']);
    await next.stop();
  });

  it("W42, W43: a chat with one server ends its run as failed when it is deployed", async () => {
    const old = chat.start(chat.runId, "fail");
    await old.printed("thinking");
    await old.stop();
    expect(await chat.log()).toStrictEqual([...FIRST, 'RUN_FAILED {"reason":"shutdown"}']);
  });

  it("S23: a released run that the next version claims while others sweep has one end", async () => {
    const old = chat.start(chat.runId, "end");
    await old.printed("thinking");
    const sweepers = [chat.start("none", "hurry"), chat.start("none", "hurry")];
    const next = chat.start(chat.runId, "resume");
    for (const one of [...sweepers, next]) await one.printed("competing");
    await old.stop();
    const line = await next.nextLine();
    const isAnswered = line === "answered done";
    if (!isAnswered) expect(line).toMatch(/^gave up: run_finished/);
    const end = isAnswered ? 'RUN_COMPLETED "done"' : 'RUN_FAILED {"reason":"abandoned"}';
    expect(await chat.log()).toStrictEqual([...(isAnswered ? ALL : FIRST), end]);
    for (const one of [...sweepers, next]) await one.stop();
  });
}

function itIsKilled(chat: Chat): void {
  it("W37, W43: a run whose process is killed between its creation and its claim is ended by the upkeep", async () => {
    const killed = chat.start(chat.runId, "create");
    await killed.printed("created");
    await killed.kill();
    expect(await chat.runs.as("ada").get(chat.runId)).toMatchObject({
      runStatus: "queued",
      lease: null,
    });
    const next = chat.start("none", "sweep");
    await next.printed(`ended ${chat.runId}`);
    expect(await chat.log()).toStrictEqual(['RUN_FAILED {"reason":"never_started"}']);
    await next.stop();
  });

  it("W33, W36: a run that was started with its lease ends by the lease when its process is killed", async () => {
    const killed = chat.start(chat.runId, "end");
    await killed.printed("thinking");
    await killed.kill();
    const next = chat.start("none", "sweep");
    await next.printed(`ended ${chat.runId}`);
    const written = await chat.log();
    expect(written.at(-1)).toBe('RUN_FAILED {"reason":"lease_expired"}');
    // Some of the last tokens may not have been stored yet. None is missing between others.
    expect(written.slice(0, -1)).toStrictEqual(FIRST.slice(0, written.length - 1));
    await next.stop();
  });
}
