import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { HOST } from "./free-port.ts";
import { Gate } from "./gate.ts";
import {
  filterFor,
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

/** Passes bytes between a client and a server, and fails as networks do. */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** The connections that are open now, in the order in which they came. */
  connections(): readonly ProxiedConnection[];
  /** From now on no byte passes, nor the end of a connection; connections stay open, and new ones come. */
  stall(): void;
  /**
   * From now on no byte from the server passes, but what clients send does: the server works on calls whose answers are
   * missing.
   */
  stallAnswers(): void;
  /** Passes the bytes that were held back, and all later ones. */
  resume(): void;
  /** Destroys the connections that are open. New ones may come. */
  cut(): void;
  /** From now on new connections lead to another server, as with a host name that moves. Open connections stay. */
  moveTo(server: TcpTarget): void;
  /**
   * From now on takes one protocol's notifications out of what the server sends, even on connections that
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
  let closing: Promise<unknown> | undefined;
  const gate = new Gate();

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const sent = joinSockets({ client, server, gate, dropped: () => dropped });
    open.add(openConnection(client, server, sent, (connection) => open.delete(connection)));
  });
  await once(listener.listen(0, HOST), "listening");
  const { port } = listener.address() as AddressInfo;

  function cut(): void {
    for (const connection of open) connection.cut();
  }

  return {
    host: HOST,
    port,
    connections: () => [...open],
    stall: () => gate.stall(),
    stallAnswers: () => gate.stallAnswers(),
    resume: () => gate.resume(),
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

/** Passes on what each side sends, through the gate. @returns what the client has sent so far */
function joinSockets({
  client,
  server,
  gate,
  dropped,
}: {
  readonly client: Socket;
  readonly server: Socket;
  readonly gate: Gate;
  readonly dropped: () => NotifyingProtocol | null;
}): () => string {
  let sent = "";
  let filter: NotificationFilter | null = null;
  client.on("data", (chunk: Buffer) => {
    sent += chunk.toString("latin1");
    filter ??= filterFor(sent, (protocol) => dropped() === protocol);
  });
  client.pipe(gate.passage("client", (chunk) => chunk)).pipe(server);
  server.pipe(gate.passage("server", (chunk) => filter?.(chunk) ?? chunk)).pipe(client);
  return () => sent;
}

function openConnection(
  client: Socket,
  server: Socket,
  sent: () => string,
  onEnd: (connection: ProxiedConnection) => void,
): ProxiedConnection {
  const connection: ProxiedConnection = {
    hasSent: (text) => sent().includes(Buffer.from(text).toString("latin1")),
    stall() {
      for (const socket of [client, server]) {
        socket.unpipe();
        socket.pause();
      }
    },
    cut() {
      onEnd(connection);
      client.destroy();
      server.destroy();
    },
  };
  for (const socket of [client, server]) {
    // For any failure of one side, the other side sees a broken connection.
    socket.on("error", connection.cut);
    socket.on("close", () => {
      if (client.destroyed && server.destroyed) onEnd(connection);
    });
  }
  return connection;
}
