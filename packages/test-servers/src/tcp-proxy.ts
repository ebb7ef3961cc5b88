import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Transform } from "node:stream";
import { HOST } from "./free-port.ts";
import {
  createNotificationFilter,
  parseProtocol,
  type NotificationFilter,
  type NotifyingProtocol,
} from "./notification-filter.ts";

/** A connection that is open through the proxy. */
export interface ProxiedConnection {
  /** Whether the client has sent this text since it connected. All that it sends is kept for this. */
  hasSent(text: string): boolean;
  /** From now on no byte passes, nor the end of a side, and neither side notices. It stays open until it is cut. */
  stall(): void;
  /** Destroys it on both sides. */
  cut(): void;
}

/** A server that a proxy leads to. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/** Stands between a client and a server, and does what networks do. */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** Those that are open now, in the order in which they came. */
  connections(): readonly ProxiedConnection[];
  /** From now on no byte passes, nor the end of a connection; connections stay open, and new ones come. */
  stall(): void;
  /**
   * From now on no byte from the server passes, but what clients send does. So the server works on calls whose answers are
   * missing.
   */
  stallAnswers(): void;
  /** What was held back passes, and all that follows. */
  resume(): void;
  /** Destroys the connections that are open. New ones may come. */
  cut(): void;
  /** From now on new connections lead to another server, as behind a host name that moves. Open connections stay. */
  moveTo(server: TcpTarget): void;
  /**
   * From now on takes one protocol's notifications out of what the server sends, also on connections that
   * are open: of Postgres the NotificationResponse messages, of Redis the messages of channels. Null: none.
   */
  dropNotifications(protocol: NotifyingProtocol | null): void;
  /** Destroys all connections and listens no more. Idempotent. */
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. Whether the server is there shows when a client comes. */
export async function startTcpProxy({ to }: { readonly to: TcpTarget }): Promise<TcpProxy> {
  let target = to;
  const open = new Set<ProxiedConnection>();
  let dropped: NotifyingProtocol | null = null;
  let stalled: PromiseWithResolvers<void> | null = null;
  let isOfAnswers = false;
  let closing: Promise<unknown> | undefined;

  const held = new Map<Transform, Buffer[]>();

  /** What a direction does to its chunks. What is held back passes as one, so that its reader has all of it in one breath. */
  function createPassage(from: "client" | "server", pass: (chunk: Buffer) => Buffer): Transform {
    const isOpen = (): boolean => stalled === null || (isOfAnswers && from === "client");
    const passage = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (isOpen()) {
          done(null, pass(chunk));
          return;
        }
        held.set(passage, [...(held.get(passage) ?? []), pass(chunk)]);
        done();
      },
      flush(done) {
        void (isOpen() ? Promise.resolve() : stalled?.promise)?.then(() => done());
      },
    });
    passage.on("close", () => held.delete(passage));
    return passage;
  }

  function accept(client: Socket): void {
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    let sent = "";
    let filter: NotificationFilter | undefined;
    client.on("data", (chunk: Buffer) => {
      const protocol = sent === "" ? parseProtocol(chunk[0]) : null;
      if (protocol !== null)
        filter = createNotificationFilter(protocol, () => dropped === protocol);
      filter?.readClient(chunk);
      sent += chunk.toString("latin1");
    });
    client.pipe(createPassage("client", (chunk) => chunk)).pipe(server);
    server
      .pipe(createPassage("server", (chunk) => filter?.filterServer(chunk) ?? chunk))
      .pipe(client);

    const connection: ProxiedConnection = {
      hasSent: (text) => sent.includes(Buffer.from(text).toString("latin1")),
      stall() {
        for (const socket of [client, server]) {
          socket.unpipe();
          socket.pause();
        }
      },
      cut() {
        open.delete(connection);
        client.destroy();
        server.destroy();
      },
    };
    open.add(connection);
    for (const socket of [client, server]) {
      // Whatever broke one side, the other side sees a broken connection.
      socket.on("error", connection.cut);
      socket.on("close", () => {
        if (client.destroyed && server.destroyed) open.delete(connection);
      });
    }
  }

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  await once(listener.listen(0, HOST), "listening");
  const { port } = listener.address() as AddressInfo;

  function cut(): void {
    for (const connection of open) connection.cut();
  }

  return {
    host: HOST,
    port,
    connections: () => [...open],
    stall() {
      stalled ??= Promise.withResolvers();
      isOfAnswers = false;
    },
    stallAnswers() {
      stalled ??= Promise.withResolvers();
      isOfAnswers = true;
    },
    resume() {
      stalled?.resolve();
      stalled = null;
      for (const [passage, chunks] of held) passage.push(Buffer.concat(chunks));
      held.clear();
    },
    cut,
    moveTo(server) {
      target = server;
    },
    dropNotifications(protocol) {
      dropped = protocol;
    },
    async close() {
      closing ??= once(listener.close(), "close");
      cut();
      await closing;
    },
  };
}
