import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Address } from "@tm/run-events-conformance/processes";
import { createMemoryStore, RunEventsError } from "@tm/run-events-core";
import { createWatchers, type RunEventStore } from "@tm/run-events-core/store";
import type { RemoteMessage } from "./remote-server.ts";

/** What the store does when a connection is lost. */
export interface LossManner {
  /** Whether a call whose answer was lost may have been done. */
  readonly isAmbiguous: (call: string) => boolean;
  /** What the caller gets. */
  readonly failureOf: (error: RunEventsError) => Error;
  /** What is sent in place of a call whose answer was lost; `null`: the caller is told. */
  readonly sentAgain: (call: string, args: readonly unknown[]) => readonly unknown[] | null;
  /** Whether it watches again what was watched. */
  readonly watchesAgain: boolean;
}

const READS = new Set(["read", "getRun", "listRuns", "listExpired", "watch"]);

/** As it should be. */
export const WHOLE: LossManner = {
  isAmbiguous: (call) => !READS.has(call),
  failureOf: (error) => error,
  sentAgain: () => null,
  watchesAgain: true,
};

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Line {
  readonly socket: Socket;
  readonly waiting: Map<number, Waiting>;
}

class LostConnection extends Error {}

/** A store on one connection, which it makes again when it is lost. */
export function createRemoteStore(
  address: Address,
  store: string,
  manner: LossManner,
): RunEventStore {
  const watchers = createWatchers();
  const watched = new Map<string, number>();
  let line: Promise<Line> | null = null;
  let lastId = 0;

  async function openLine(): Promise<Line> {
    const socket = connect({ ...address, noDelay: true });
    const opened: Line = { socket, waiting: new Map() };
    let cause = new LostConnection("The connection has ended.");
    socket.on("error", (error) => (cause = new LostConnection(error.message)));
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      line = null;
      for (const { reject } of opened.waiting.values()) reject(cause);
      if (manner.watchesAgain && watched.size > 0) void watchAgain();
    });
    const lines = createInterface({ input: socket });
    lines.on("line", (text) => hear(opened, text));
    // It has those of its socket as well, which is listened to above.
    lines.on("error", () => {});
    await once(socket, "connect").catch((error: unknown) => {
      throw new LostConnection(String(error));
    });
    return opened;
  }

  function hear({ waiting }: Line, text: string): void {
    const message = JSON.parse(text) as RemoteMessage;
    if ("wake" in message) return watchers.ring(message.wake);
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if ("answer" in message) call?.resolve(message.answer);
    else call?.reject(new RunEventsError("store_unavailable", message.refusal.message));
  }

  async function watchAgain(): Promise<void> {
    for (const runId of watched.keys()) {
      // The next loss makes it again.
      await send("watch", [runId]).catch(() => {});
      watchers.ring(runId);
    }
  }

  async function send(call: string, args: readonly unknown[]): Promise<unknown> {
    const { socket, waiting } = await (line ??= openLine());
    const id = ++lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(id, { resolve, reject });
    socket.write(`${JSON.stringify({ id, store, call, args })}\n`);
    return promise;
  }

  async function ask(call: string, ...args: readonly unknown[]): Promise<never> {
    try {
      return (await send(call, args)) as never;
    } catch (cause) {
      if (!(cause instanceof LostConnection)) throw cause;
      const again = manner.sentAgain(call, args);
      if (again !== null) return (await send(call, again)) as never;
      const ambiguous = manner.isAmbiguous(call);
      throw manner.failureOf(
        new RunEventsError("store_unavailable", "The connection was lost.", { cause, ambiguous }),
      );
    }
  }

  const { capabilities } = createMemoryStore();
  return {
    capabilities: {
      ...capabilities,
      shared: true,
      losesAcknowledgements: true,
      wakeDeadlineMs: 1_000,
    },
    createRun: (request) => ask("createRun", request),
    append: (requests) => ask("append", requests),
    read: (queries) => ask("read", queries),
    getRun: (runId) => ask("getRun", runId),
    listRuns: (query) => ask("listRuns", query),
    deleteRun: (runId, ownerId) => ask("deleteRun", runId, ownerId),
    claim: (request) => ask("claim", request),
    renew: (request) => ask("renew", request),
    release: (request) => ask("release", request),
    listExpired: (query) => ask("listExpired", query),
    purge: (request) => ask("purge", request),
    probe: () => ask("probe"),
    watch(runId, wake) {
      const stop = watchers.add(runId, wake);
      watched.set(runId, (watched.get(runId) ?? 0) + 1);
      return {
        ready: ask("watch", runId),
        stop() {
          stop();
          watched.delete(runId);
        },
      };
    },
    async close() {
      watched.clear();
      watchers.clear();
      (await line)?.socket.destroy();
    },
  };
}
