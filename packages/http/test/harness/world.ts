import {
  createMemoryStore,
  createRunEvents,
  type EventDraft,
  type OwnedRuns,
  type RunEvents,
} from "@tm/run-events-core";
import type { Clock } from "@tm/run-events-core/wire";
import type { RunEventsOptions } from "../../../core/src/log/run-log.ts";
import type { HandlerOptions } from "../../src/index.ts";
import { type Accounts, ADA_SESSION, createAccounts } from "./accounts.ts";
import type { Call } from "./answer.ts";
import type { Door } from "./door.ts";
import { openFetchDoor } from "./fetch-door.ts";
import { type GuardedStore, guardStore } from "./guarded-store.ts";
import type { LiveStream } from "./live-stream.ts";
import { openNodeDoor } from "./node-door.ts";
import { eventually } from "./eventually.ts";

/** Both doors: every rule that is not of sockets holds at either. */
export const DOORS = ["Request to Response", "node:http"] as const;

export type DoorName = (typeof DOORS)[number];

type WorldOptions = Partial<Omit<HandlerOptions<unknown>, "runs" | "authenticate" | "onError">> &
  Partial<Omit<RunEventsOptions, "store">> & {
    readonly clock?: Clock;
    /** The store's clock, by which leases expire. */
    readonly storeNow?: () => number;
  };

/** A handler over a memory store with a door, made for one test and gone with it. */
export interface World extends Omit<Door, "close">, AsyncDisposable {
  readonly runs: RunEvents;
  /** Ada's runs. */
  readonly ada: OwnedRuns;
  readonly store: GuardedStore;
  readonly accounts: Accounts;
  /** The errors that the handler has reported to its host. */
  readonly reported: readonly unknown[];
  /** Lets everything happen that needs nothing more from outside: a read of the store takes a turn of the event loop. */
  turn(): Promise<void>;
  /** Creates a run of ada's with these events; its id. */
  record(...events: readonly (string | EventDraft)[]): Promise<string>;
  /** Follows a run with ada's session. */
  tail(runId: string, query?: string, headers?: Call["headers"]): Promise<LiveStream>;
}

/** Opens a world. Its end waits until nothing is open any more. */
export async function openWorld(door: DoorName, options: WorldOptions = {}): Promise<World> {
  const { clock, storeNow, maxPayloadBytes, maxBatchEvents, ...handlerOptions } = options;
  const store = guardStore(createMemoryStore(storeNow === undefined ? {} : { now: storeNow }));
  const runs = createRunEvents({
    store,
    ...(clock === undefined ? {} : { clock }),
    ...(maxPayloadBytes === undefined ? {} : { maxPayloadBytes }),
    ...(maxBatchEvents === undefined ? {} : { maxBatchEvents }),
  });
  const ada = runs.as("ada");
  const accounts = createAccounts();
  const reported: unknown[] = [];
  const open = door === "node:http" ? openNodeDoor : openFetchDoor;
  const { close, ...opened } = await open(
    { ...handlerOptions, runs, onError: (error: unknown) => void reported.push(error) },
    accounts,
  );
  return {
    ...opened,
    runs,
    ada,
    store,
    accounts,
    reported,
    async turn() {
      // The run does not exist: only an answer matters. A small read joins the group of the others that wait.
      await ada.read("none", { limit: 1, maxBytes: 1 }).catch(() => {});
    },
    async record(...events) {
      const { runId } = await ada.create();
      if (events.length > 0) {
        const drafts = events.map((e) => (typeof e === "string" ? { eventType: e } : e));
        await ada.append(runId, drafts);
      }
      return runId;
    },
    tail: (runId, query = "", headers = {}) =>
      opened.follow({
        path: `/v1/agent-runs/${runId}/stream${query}`,
        headers: { ...ADA_SESSION, ...headers },
      }),
    async [Symbol.asyncDispose]() {
      await close();
      await eventually(() => {
        const { streams, waiting, inFlight } = opened.stats();
        const open = {
          streams: streams.open,
          waiting,
          subscriptions: store.subscriptions(),
          ...inFlight,
        };
        if (Object.values(open).some((count) => count !== 0)) {
          throw new Error(`Expected nothing to be open, got ${JSON.stringify(open)}.`);
        }
      });
      await runs.close();
    },
  };
}
