import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The store of a command: a schema in a database. */
export interface Place {
  readonly url: string;
  readonly schema: string;
}

/** The commands of a test to another process. */
export interface PeerCommands {
  migrate(input: Place): Promise<null>;
  /** Sends groups of one append a run, in the order of the ids, one after the other. Resolves with where each landed. */
  appendGroups(
    input: Place & {
      readonly runIds: readonly string[];
      readonly groups: number;
      readonly label: string;
    },
  ): Promise<readonly PeerLanding[]>;
  /** Subscribes to a run and appends to it. */
  work(input: Place & { readonly runId: string }): Promise<null>;
  /** Closes the stores on a database, and ends their pools. */
  leave(input: { readonly url: string }): Promise<null>;
  /** Ends the connection to the test, so that nothing but a store can keep the process alive. */
  disconnect(): Promise<null>;
}

/** Where a peer's append landed. */
export interface PeerLanding {
  readonly runId: string;
  readonly value: string;
  readonly sequence: number;
}

type Input<Name extends keyof PeerCommands> = Parameters<PeerCommands[Name]>;
type Answer<Name extends keyof PeerCommands> = Awaited<ReturnType<PeerCommands[Name]>>;

/** Another process with its own pools and stores. */
export interface Peer {
  /** @throws Error with the error of the peer's store */
  call<Name extends keyof PeerCommands>(name: Name, ...input: Input<Name>): Promise<Answer<Name>>;
  /** The exit code, `null` after a kill. */
  readonly exited: Promise<number | null>;
}

interface Message {
  readonly id: number;
  readonly answer?: unknown;
  readonly failure?: string;
}

const SCRIPT = fileURLToPath(new URL("peer-process.ts", import.meta.url));

const alive = new Map<ChildProcess, Promise<unknown>>();

/** Kills every peer of this file, even one that has not started yet or whose test has failed. For `afterAll`. */
export async function killPeers(): Promise<void> {
  const ends = [...alive].map(([child, exited]) => {
    child.kill("SIGKILL");
    return exited;
  });
  await Promise.all(ends);
}

/** Starts a peer, which `killPeers` kills at the latest. */
export async function startPeer(): Promise<Peer> {
  const child = fork(SCRIPT, { execPath: process.execPath, execArgv: ["-C", "@tm/source"] });
  const waiting = new Map<number, (message: Message) => void>();
  let lastId = 0;
  const exited = once(child, "exit").then(([code]) => {
    alive.delete(child);
    return code as number | null;
  });
  alive.set(child, exited);
  child.on("message", (message: Message) => {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  // The process sends one message when it is ready for commands.
  const ended = exited.then((code) => {
    throw new Error(`A peer ended before it obeyed, with exit code ${code}.`);
  });
  await Promise.race([once(child, "message"), ended]);
  return {
    call(name, ...[input]) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, ({ answer, failure }) => {
          if (failure === undefined) resolve(answer as Answer<typeof name>);
          else reject(new Error(failure));
        });
        child.send({ id, command: name, input });
      });
    },
    exited,
  };
}
