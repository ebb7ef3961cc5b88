import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createMemoryStore,
  createRunEvents,
  type RunEvents,
  RunEventsError,
} from "@tm/run-events-core";
import { createHandler, type HandlerOptions, type Identity } from "../../src/index.ts";
import { createNodeHandler, type HandlerStats } from "../../src/node.ts";
import { createAccounts } from "../harness/accounts.ts";
import { guardStore } from "../harness/guarded-store.ts";
import { createManualClock } from "../harness/manual-clock.ts";
import type { Conversation } from "./conversation.ts";
import { askFetch } from "./fetch-conversation.ts";
import type { Ask, Scene, Step } from "./scene.ts";
import { askSocket } from "./socket-conversation.ts";

/** Where the store's clock starts. */
const START_MS = Date.UTC(2026, 5, 20, 12);

export type DoorName = "fetch" | "node:http";

/** A handler of one scene and one kind. Time, random numbers and ids are fixed. */
export interface Stage {
  readonly runs: RunEvents;
  converse(ask: Ask): Conversation;
  stats(): HandlerStats;
  drain(windowMs: number): Promise<void>;
  advance(ms: number): void;
  signOut(userId: string): void;
  setStore(state: Extract<Step, { store: unknown }>["store"]): void;
  setSessions(state: Extract<Step, { sessions: unknown }>["sessions"]): void;
  close(): Promise<void>;
}

/** Builds the stage of a scene. */
export async function openStage(scene: Scene, door: DoorName): Promise<Stage> {
  const clock = createManualClock();
  const store = guardStore(createMemoryStore({ now: () => START_MS + clock.now() }));
  const runs = createRunEvents({ store, clock, ...scene.options });
  const accounts = createAccounts();
  let sessions: "down" | "malformed" | "up" = "up";

  function identify(
    header: (name: string) => string | null,
    wanted: "any" | "session",
  ): Identity | null {
    if (sessions === "down") throw new Error("The sessions are away.");
    if (sessions === "malformed") return { userId: "" } as unknown as Identity;
    return accounts.identify(header, wanted);
  }
  const options = { ...scene.options, runs, random: () => 0.5, onError: () => {} };
  const opened =
    door === "fetch" ? openFetch(options, identify) : await openNode(options, identify);
  for (const [runId, events] of Object.entries(scene.runs ?? {})) {
    const owned = runs.as(runId.startsWith("bob") ? "bob" : "ada");
    await owned.create({ runId });
    for (let at = 0; at < events.length; at += 500)
      await owned.append(runId, events.slice(at, at + 500));
  }
  return {
    ...opened,
    runs,
    advance: (ms) => clock.advance(ms),
    signOut: (userId) => accounts.signOut(userId),
    setStore: (state) => store.cut(failureOf(state)),
    setSessions: (state) => void (sessions = state),
    async close() {
      await opened.close();
      await runs.close();
    },
  };
}

function failureOf(state: "down" | "broken" | "up"): Error | null {
  if (state === "up") return null;
  return state === "broken"
    ? new Error("The driver's own text.")
    : // Not sent again, as it would be until the clock of the test has moved.
      new RunEventsError("store_unavailable", "The store is away.", { ambiguous: false });
}

type Identify = (
  header: (name: string) => string | null,
  wanted: "any" | "session",
) => Identity | null;
type Options = Omit<HandlerOptions<unknown>, "authenticate">;
type Opened = Pick<Stage, "converse" | "stats" | "drain" | "close">;

function openFetch(options: Options, identify: Identify): Opened {
  const handler = createHandler({
    ...options,
    authenticate: ({ headers }, wanted) => identify((name) => headers.get(name), wanted),
  });
  return {
    converse: (ask) => askFetch(handler, ask),
    stats: () => handler.stats(),
    drain: (windowMs) => handler.drain(windowMs),
    close: async () => {},
  };
}

async function openNode(options: Options, identify: Identify): Promise<Opened> {
  const handler = createNodeHandler({
    ...options,
    authenticate: ({ headers }, wanted) =>
      identify((name) => {
        const value = headers[name];
        return typeof value === "string" ? value : null;
      }, wanted),
  });
  const server = createServer((request, response) => {
    // The date is node's own, and the only header that is new each time.
    response.sendDate = false;
    handler.handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    converse: (ask) => askSocket(port, ask),
    stats: () => handler.stats(),
    drain: (windowMs) => handler.drain(windowMs),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
