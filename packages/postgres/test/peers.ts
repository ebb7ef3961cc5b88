import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Which store a command is for: a schema in a database. */
export interface Place {
  readonly url: string;
  readonly schema: string;
}

/** What another process does on a test's word. */
export interface PeerCommands {
  migrate(input: Place): Promise<null>;
  /** Sends groups of one append a run, in the order of the ids, one after the other; answers where each landed. */
  appendGroups(
    input: Place & {
      readonly runIds: readonly string[];
      readonly groups: number;
      readonly label: string;
    },
  ): Promise<readonly PeerLanding[]>;
  /** Watches a run and appends to it. */
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

/** Another process with pools and stores of its own. */
export interface Peer {
  /** @throws Error with what the store threw in the peer */
  call<Name extends keyof PeerCommands>(name: Name, ...input: Input<Name>): Promise<Answer<Name>>;
  /** Ends the process at once, without a chance to tidy up. */
  kill(): Promise<void>;
  /** The exit code, `null` after a kill. */
  readonly exited: Promise<number | null>;
}

interface Message {
  readonly id: number;
  readonly answer?: unknown;
  readonly failure?: string;
}

const SCRIPT = fileURLToPath(new URL("peer-process.ts", import.meta.url));

/** Starts a peer, which whoever started it kills. */
export async function startPeer(): Promise<Peer> {
  const child = fork(SCRIPT, { execPath: process.execPath, execArgv: ["-C", "@tm/source"] });
  const waiting = new Map<number, (message: Message) => void>();
  let lastId = 0;
  const exited = once(child, "exit").then(([code]) => code as number | null);
  child.on("message", (message: Message) => {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  // The process says so once when it obeys.
  await once(child, "message");
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
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    exited,
  };
}
