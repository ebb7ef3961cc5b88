import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Address } from "@tm/run-events-conformance/processes";
import type { KvEngine } from "@tm/run-events-core/store";
import type { KvEntry } from "../../../core/src/store/kv/engine.ts";
import {
  onLines,
  type RemoteAnswer,
  type RemoteCall,
  type RemoteRequest,
} from "./remote-server.ts";

type Waiting = Map<number, PromiseWithResolvers<unknown>>;

/** An engine on one connection to a server, which is opened again when it is lost. */
export interface RemoteEngine extends KvEngine {
  now(): Promise<number>;
  /** Whether a connection was lost. */
  isLost(): boolean;
}

/** Connects to a server at the first call. */
export function connectEngine(address: Address): RemoteEngine {
  let line: Promise<readonly [Socket, Waiting]> | null = null;
  let lastId = 0;
  let isLost = false;

  async function open(): Promise<readonly [Socket, Waiting]> {
    const socket = connect({ ...address, noDelay: true });
    const waiting: Waiting = new Map();
    let cause = new Error("The connection has ended.");
    socket.on("error", (error) => (cause = error));
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      line = null;
      isLost = true;
      for (const { reject } of waiting.values()) reject(cause);
    });
    onLines(socket, (line) => {
      const { id, answer } = JSON.parse(line) as RemoteAnswer;
      waiting.get(id)?.resolve(answer);
      waiting.delete(id);
    });
    await once(socket, "connect");
    return [socket, waiting];
  }

  /** @throws Error if the connection is lost before the answer */
  async function send<Answer>(call: RemoteCall): Promise<Answer> {
    const [socket, waiting] = await (line ??= open());
    const request: RemoteRequest = { id: (lastId += 1), call };
    const answer = Promise.withResolvers<unknown>();
    waiting.set(request.id, answer);
    socket.write(`${JSON.stringify(request)}\n`);
    return (await answer.promise) as Answer;
  }

  return {
    limits: { mostOps: 1_000, mostBytes: 16_777_216 },
    async read(work) {
      const [, at] = await send<readonly [number, number]>("now");
      return work({
        get: (keys) => send<readonly (string | null)[]>({ at, keys }),
        scan: (range) => send<readonly KvEntry[]>({ at, range }),
      });
    },
    commit: (checks, writes) => send<boolean>({ checks, writes }),
    now: async () => (await send<readonly [number, number]>("now"))[0],
    close: async () => void (await line)?.[0].destroy(),
    isLost: () => isLost,
  };
}
