import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { AppendOutcome } from "../../core/src/rules/append.ts";
import type { Driver } from "./drivers.ts";

/** The commands of a test to another process. */
export interface PeerCommands {
  ping(): Promise<null>;
  migrate(): Promise<void>;
  probe(): Promise<number>;
  append(input: {
    readonly runId: string;
    readonly value: unknown;
  }): Promise<AppendOutcome | undefined>;
  /** Appends 1, 2, 3, … until the process ends, and reports each one when it is acknowledged. */
  record(input: { readonly runId: string }): Promise<never>;
  /** Takes the file's write lock. */
  hold(): Promise<null>;
  release(): Promise<null>;
  subscribe(input: { readonly runId: string }): Promise<null>;
  /** Ends the connection to the test, so that nothing but the store can keep the process alive. */
  disconnect(): Promise<null>;
}

/** The error of a peer's store, as data. */
export interface PeerFailure {
  readonly code: string | null;
  readonly message: string;
  readonly retryable?: boolean;
  readonly ambiguous?: boolean;
}

/** The error of a command that failed in the peer. */
class PeerError extends Error {
  override readonly name = "PeerError";
  readonly failure: PeerFailure;

  constructor(failure: PeerFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

type Input<Name extends keyof PeerCommands> = Parameters<PeerCommands[Name]>;
type Answer<Name extends keyof PeerCommands> = Awaited<ReturnType<PeerCommands[Name]>>;

/** Another process with its own handle and store on the file. */
export interface Peer {
  call<Name extends keyof PeerCommands>(name: Name, ...input: Input<Name>): Promise<Answer<Name>>;
  onAcknowledged(listener: (count: number) => void): void;
  /** Kills the process at once, before it can clean up. */
  kill(): Promise<void>;
  /** The exit code, `null` after a kill. */
  readonly exited: Promise<number | null>;
}

interface Message {
  readonly id?: number;
  readonly answer?: unknown;
  readonly failure?: PeerFailure;
  readonly acknowledged?: number;
}

const SCRIPT = fileURLToPath(new URL("peer-process.ts", import.meta.url));
const EXEC_ARGV = ["-C", "@tm/source"];

/** Starts a peer, which is killed with the test. */
export async function startPeer(driver: Driver, file: string): Promise<Peer> {
  return peerOf(
    fork(SCRIPT, [driver.name, file], { execPath: process.execPath, execArgv: EXEC_ARGV }),
  );
}

/** Starts a peer that can write no file beyond this many blocks of 512 bytes: the disk fails it there. */
export async function startConfinedPeer(
  driver: Driver,
  file: string,
  blocks: number,
): Promise<Peer> {
  const command = `ulimit -f ${blocks}; exec "$0" "$@"`;
  const args = ["-c", command, process.execPath, ...EXEC_ARGV, SCRIPT, driver.name, file];
  return peerOf(
    spawn("/bin/sh", args, { stdio: ["ignore", "inherit", "inherit", "ipc"] }) as ChildProcess,
  );
}

async function peerOf(child: ChildProcess): Promise<Peer> {
  const waiting = new Map<number, (message: Message) => void>();
  const listeners: ((count: number) => void)[] = [];
  let lastId = 0;
  const exited = once(child, "exit").then(([code]) => code as number | null);

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await exited;
  }

  onTestFinished(kill);
  child.on("message", (message: Message) => {
    if (message.acknowledged !== undefined) {
      for (const listener of listeners) listener(message.acknowledged);
    }
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  // The process sends one message when it has opened its handle.
  await once(child, "message");
  return {
    call(name, ...[input]) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, ({ answer, failure }) => {
          if (failure === undefined)
            resolve(answer as Awaited<ReturnType<PeerCommands[typeof name]>>);
          else reject(new PeerError(failure));
        });
        child.send({ id, command: name, input });
      });
    },
    onAcknowledged: (listener) => void listeners.push(listener),
    kill,
    exited,
  };
}
