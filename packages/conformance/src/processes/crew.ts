import type { PlaceDoors } from "../doors.ts";
import { type Address, type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";
import { startWorker, type Worker } from "./start-worker.ts";

/**
 * The store for many processes, and how they open it. The kit sends a place to each process, so it has to fit into JSON. It destroys
 * the place when no process uses it any more.
 */
export interface ProcessDoors<Place> extends PlaceDoors<Place> {
  /**
   * The URL of a module that exports `open(place)`, as in `StoreDoors`. It opens one migrated store for each process, on its own handle.
   * The handle ends with its process, which the kit kills.
   */
  readonly module: string | URL;
  /**
   * The number of processes that race, 2 or more.
   * @defaultValue 3
   */
  readonly workers?: number;
  /** The way to the store's server over TCP, if it has one. With it, the kit also breaks connections. */
  readonly network?: Network<NoInfer<Place>>;
  /**
   * Node's options for the processes, such as `["--import", "tsx"]`.
   * @defaultValue those of this process
   */
  readonly execArgv?: readonly string[];
}

/** The way to a store's server, on which the kit places a proxy. */
export interface Network<Place> {
  /** Returns the address on which the server listens. */
  readonly server: (place: Place) => Address;
  /** Returns the same place for a process that connects to `address` instead: the same schema, prefix or names. */
  readonly through: (place: Place, address: Address) => Place;
}

/** The differences of one process from the others. */
export interface WorkerManner {
  /** The proxy through which it reaches the server. Default: none. */
  readonly proxy?: CuttingProxy;
  /** The lead of its clock over the machine's, in milliseconds; negative if it is slow. Default 0. */
  readonly clockAheadMs?: number;
}

/** The processes of one case. */
export interface Crew {
  /** Starts one more, which has opened its store when this resolves. */
  start(manner?: WorkerManner): Promise<Worker>;
  /**
   * Starts a proxy before the store's server, which ends with the case.
   * @throws TypeError where there is no `network`
   */
  startProxy(): Promise<CuttingProxy>;
  /** Starts as many workers as the options ask for. @param first how the first differs from the others */
  startAll(first?: WorkerManner): Promise<readonly [Worker, ...Worker[]]>;
}

const DEFAULT_WORKERS = 3;

/**
 * Runs one body on data and processes of its own. All of them are ended after it.
 * @param signal once it aborts, the processes are killed, and no other is begun
 * @throws Error for a store that other processes do not see: there is nothing to try; the signal's reason once it is aborted
 */
export async function runWithCrew<Place>(
  doors: ProcessDoors<Place>,
  body: (crew: Crew) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { prepare, destroy, network, workers: size = DEFAULT_WORKERS } = doors;
  if (!Number.isSafeInteger(size) || size < 2) {
    throw new TypeError(`Expected \`workers\` to be 2 or more, got ${size}.`);
  }
  signal?.throwIfAborted();
  const place = await prepare();
  const kills: (() => Promise<void>)[] = [];
  const proxies: CuttingProxy[] = [];
  let count = 0;

  async function startProxy(): Promise<CuttingProxy> {
    if (network === undefined)
      throw new TypeError(
        "Expected `network` for a worker behind a proxy, got none. Give that option.",
      );
    const proxy = await startCuttingProxy(network.server(place));
    proxies.push(proxy);
    return proxy;
  }

  async function start({ proxy, clockAheadMs = 0 }: WorkerManner = {}): Promise<Worker> {
    count += 1;
    signal?.throwIfAborted();
    const { execArgv } = doors;
    const reached = proxy === undefined ? place : (network?.through(place, proxy.address) ?? place);
    const opening = { module: String(doors.module), place: reached, clockAheadMs };
    const worker = await startWorker({ name: String(count), execArgv, ...opening }, (kill) =>
      kills.push(kill),
    );
    if (!worker.store.capabilities.shared) {
      throw new Error(
        "The store declares shared: false. Other processes do not see its runs: leave out the process tests.",
      );
    }
    return worker;
  }

  const crew: Crew = {
    start,
    startProxy,
    async startAll(first) {
      // All have to have settled, so that none starts after the end of the case.
      const starts = await Promise.allSettled(
        Array.from({ length: size }, (_, at) => start(at === 0 ? first : {})),
      );
      const workers = starts.map((one) => {
        if (one.status === "rejected") throw one.reason;
        return one.value;
      });
      return workers as [Worker, ...Worker[]];
    },
  };
  async function killAll(): Promise<void> {
    await Promise.all(kills.map((kill) => kill()));
  }
  const abort = (): void => void killAll();
  signal?.addEventListener("abort", abort);
  const outcomes: PromiseSettledResult<void>[] = await Promise.allSettled([body(crew)]);
  signal?.removeEventListener("abort", abort);
  await killAll();
  await Promise.all(proxies.map((proxy) => proxy.close()));
  outcomes.push(...(await Promise.allSettled([(async () => destroy?.(place))()])));
  signal?.throwIfAborted();
  // The body's failure comes first: the failures of closing and destroying may follow from it.
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
