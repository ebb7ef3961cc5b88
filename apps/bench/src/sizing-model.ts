/** What a deployment does in a second. */
export interface Load {
  /** Single events. */
  readonly appends: number;
  /** Groups of appends that meet: a call of the store each. */
  readonly commits: number;
  /** Those of them with more than one append. */
  readonly sharedCommits: number;
  /** Messages that tell the servers with streams of commits: one each, or one of several where they follow closely. */
  readonly notifications: number;
  /** How often a server that has readers of a run learns of new events of it: once an append, if each comes alone. */
  readonly wakes: number;
  /** Groups of wakes that meet: a call of the store each. */
  readonly reads: number;
  /** Events sent to readers. */
  readonly deliveries: number;
  /** Live streams, whether anything is sent to them or not. */
  readonly streams: number;
  /** Runs with a stream, counted once for each server that has one. */
  readonly watched: number;
  /** The servers that hold the streams. */
  readonly streamingServers: number;
}

/**
 * A number for each unit of work, by whose processor time it takes: how much of it a load has in a second, or what one takes,
 * in microseconds.
 */
export interface PerUnit {
  /** The servers that take appends. */
  readonly appending: {
    /** By HTTP, from the request to its answer. */
    readonly append: number;
    /** The call of the store that one or more appends share, and waking up for it. */
    readonly commit: number;
  };
  /** The servers that hold streams. */
  readonly streaming: {
    readonly wake: number;
    /** The call of the store that one or more wakes share. */
    readonly read: number;
    readonly delivery: number;
    /** A live stream: its heartbeats. */
    readonly stream: number;
    /** A run that has streams: looking at it now and then. */
    readonly watched: number;
    /** Hearing a notification, whatever is in it. */
    readonly notification: number;
    /** What of a notification is of an append to a run that the server has no reader of. */
    readonly unheard: number;
  };
  readonly database: {
    readonly append: number;
    readonly commit: number;
    /** Beside the commit, where it is of several appends: on Postgres the statement for one run is another, simpler one. */
    readonly sharedCommit: number;
    readonly wake: number;
    readonly read: number;
    readonly watched: number;
    /** A second of its own work. */
    readonly itself: number;
  };
}

/** Processor time a second, in cores. */
export type Cores = Readonly<Record<keyof PerUnit, number>>;

/** How much of each unit a load has. */
export function workOf(load: Load): PerUnit {
  const { appends, commits, sharedCommits, wakes, reads, deliveries, streams, watched } = load;
  return {
    appending: { append: appends, commit: commits },
    streaming: {
      wake: wakes,
      read: reads,
      delivery: deliveries,
      stream: streams,
      watched,
      // Every server hears of every append; where it has a reader of the run, that is a wake.
      notification: load.streamingServers * load.notifications,
      unheard: Math.max(0, load.streamingServers * appends - wakes),
    },
    database: {
      append: appends,
      commit: commits,
      sharedCommit: sharedCommits,
      wake: wakes,
      read: reads,
      watched,
      itself: 1,
    },
  };
}

const MICROS = 1_000_000;
/** A server sends no more in a second, however much it commits: the Postgres store gathers what it tells for 5 ms. */
const MOST_NOTIFICATIONS = 200;

/**
 * What the servers and one database, which all of them share, take for a load.
 * @param costs of one of each unit, in microseconds
 */
export function predict(load: Load, costs: PerUnit): Cores {
  const work = workOf(load);
  return {
    appending: sum(work.appending, costs.appending),
    streaming: sum(work.streaming, costs.streaming),
    database: sum(work.database, costs.database),
  };
}

function sum<Unit extends string>(
  work: Readonly<Record<Unit, number>>,
  costs: Readonly<Record<Unit, number>>,
): number {
  let micros = 0;
  for (const unit of Object.keys(work) as Unit[]) micros += work[unit] * costs[unit];
  return micros / MICROS;
}

/** What a deployment may ask of its machines. */
export interface Plan {
  /** The part of a core that is planned with, so that a peak finds room. */
  readonly utilisation: number;
  /** How many cores one database can use: 1 for Redis. */
  readonly databaseCores: number;
  /** How many streams one server process may hold. */
  readonly streamsAServer: number;
  /** Resident memory of a live stream, in bytes. */
  readonly streamBytes: number;
}

/** What a load needs. A server is one process, which uses one core. */
export interface Needs {
  /** The databases that the runs are spread over, each with servers of its own. */
  readonly databases: number;
  readonly databaseCores: number;
  readonly appendingServers: number;
  readonly streamingServers: number;
  /** Of all streams, in GiB. */
  readonly streamGiB: number;
}

/**
 * How many databases and server processes a load needs. What a streaming server hears of runs that it has no reader of
 * grows with the appends to its database, and may take half of it at most: beyond that the runs are spread over more
 * databases, each with servers of its own.
 * @param load of all databases together; its servers are what is asked, and with them its notifications
 */
export function plan(
  load: Omit<Load, "streamingServers" | "notifications">,
  costs: PerUnit,
  { utilisation, databaseCores, streamsAServer, streamBytes }: Plan,
): Needs {
  const whole = predict({ ...load, notifications: 0, streamingServers: 0 }, costs);
  const itself = costs.database.itself / MICROS;
  const { notification, unheard } = costs.streaming;
  const serversFor = (databases: number): number =>
    Math.max(databases, Math.ceil(whole.appending / utilisation));
  const heardOf = (databases: number): number => {
    const notifications = Math.min(load.commits, MOST_NOTIFICATIONS * serversFor(databases));
    return (notifications * notification + load.appends * unheard) / databases / MICROS;
  };
  let databases = Math.max(
    1,
    Math.ceil((whole.database - itself) / (databaseCores * utilisation - itself)),
  );
  while (heardOf(databases) > utilisation / 2) databases += 1;
  // A wake is heard too, but is no more than a wake.
  const work = whole.streaming - (load.wakes * unheard) / MICROS;
  const serversADatabase = Math.max(
    Math.ceil(work / databases / (utilisation - heardOf(databases))),
    Math.ceil(load.streams / databases / streamsAServer),
    1,
  );
  return {
    databases,
    databaseCores: (whole.database + (databases - 1) * itself) / utilisation,
    appendingServers: serversFor(databases),
    streamingServers: databases * serversADatabase,
    streamGiB: (load.streams * streamBytes) / 2 ** 30,
  };
}
