import { findProgram } from "./find-program.ts";
import { findFreePort, HOST } from "./free-port.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";
import { waitUntil } from "./wait-until.ts";
import { createWorkFolder } from "./work-folder.ts";

/** A cluster of three etcd nodes. It elects another leader about a second after the last one fell silent. */
export interface EtcdCluster {
  /** The client URLs of the nodes. */
  readonly nodes: readonly string[];
  /** The index of the leader, as soon as a living node knows a living one. */
  leader(): Promise<number>;
  /** SIGKILL to a node. Resolves once it is gone. */
  kill(index: number): Promise<void>;
  /** Starts a node again on its ports and data. */
  start(index: number): Promise<void>;
  /** Stops a node's process where it stands; connections to it stay open. */
  stall(index: number): void;
  /** Lets a stalled node go on. */
  resume(index: number): void;
  /** Ends all nodes and deletes their folders. Idempotent. */
  close(): Promise<void>;
}

const NODES = 3;
/** The distance from a node's client port to the port on which it listens for the others, which `findFreePort` keeps free. */
const PEER_OFFSET = 10_000;
const ELECTION = ["--heartbeat-interval", "100", "--election-timeout", "1000"];

/**
 * Starts a cluster on free ports of 127.0.0.1, and waits until all nodes serve clients.
 * @param settings more words for the command line of each node
 * @throws Error with what a node said, if it does not start
 */
export async function startEtcdCluster(settings: readonly string[] = []): Promise<EtcdCluster> {
  const ports = await Promise.all(Array.from({ length: NODES }, findFreePort));
  const nodes = ports.map((port) => `http://${HOST}:${port}`);
  const processes = await Promise.all(ports.map((_, at) => describeNode(ports, at, settings)));
  const close = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.close()));
  };
  try {
    // At once, since a node serves clients once most nodes are there.
    await Promise.all(processes.map((process) => process.start()));
  } catch (error) {
    await close();
    throw error;
  }
  const node = (index: number): ServerProcess => {
    const found = processes[index];
    if (found === undefined) throw new TypeError(`There is no node ${index}.`);
    return found;
  };
  return {
    nodes,
    async leader() {
      let leader = -1;
      await waitUntil("the etcd nodes know a leader", async () => {
        const living = nodes.filter((_, at) => node(at).running);
        const views = await Promise.all(living.map(seeStatus));
        const ids = await Promise.all(nodes.map(seeStatus));
        const id = views.find((view) => view !== null)?.leader;
        leader = ids.findIndex((view) => view !== null && view.id === id);
        return leader !== -1;
      });
      return leader;
    },
    kill: (index) => node(index).end("SIGKILL"),
    start: (index) => node(index).start(),
    stall: (index) => node(index).signal("SIGSTOP"),
    resume: (index) => node(index).signal("SIGCONT"),
    close,
  };
}

async function describeNode(
  ports: readonly number[],
  index: number,
  settings: readonly string[],
): Promise<ServerProcess> {
  const command = findProgram("etcd");
  if (command === null) throw new Error("etcd is not installed: apt-get install etcd-server");
  const folder = await createWorkFolder("etcd");
  const url = (port = 0): string => `http://${HOST}:${port}`;
  const peers = ports.map((port, at) => `node${at}=${url(port + PEER_OFFSET)}`).join();
  const [client, peer] = [url(ports[index]), url((ports[index] ?? 0) + PEER_OFFSET)];
  return createServerProcess(folder, {
    command,
    args: [
      ["--name", `node${index}`, "--data-dir", `${folder.path}/data`],
      ["--listen-client-urls", client, "--advertise-client-urls", client],
      ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ["--initial-cluster", peers, ...ELECTION, ...settings],
    ].flat(),
    readyText: "ready to serve client requests",
    endSignal: "SIGKILL",
  });
}

/** A node's id, and whom it takes for the leader; `null` if it does not answer, or knows none. */
async function seeStatus(
  node: string,
): Promise<{ readonly id: string; readonly leader: string } | null> {
  try {
    const response = await fetch(`${node}/v3/maintenance/status`, {
      method: "POST",
      body: "{}",
      signal: AbortSignal.timeout(1_000),
    });
    const { header, leader = "0" } = (await response.json()) as {
      readonly header: { readonly member_id: string };
      readonly leader?: string;
    };
    return leader === "0" ? null : { id: header.member_id, leader };
  } catch {
    return null;
  }
}
