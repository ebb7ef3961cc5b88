/** What a deployment does in a second. */
export interface Load {
  /** Single events. */
  readonly appends: number;
  /** How often a server that has readers of a run learns of new events of it: once an append, if each comes alone. */
  readonly wakes: number;
  /** Events sent to readers. */
  readonly deliveries: number;
  /** Live streams, whether anything is sent to them or not. */
  readonly streams: number;
  /** The servers that hold them. */
  readonly streamingServers: number;
}

/** What one of each takes, in microseconds of a processor, if not said otherwise. */
export interface UnitCosts {
  /** An append by HTTP, in the server that takes it. */
  readonly append: number;
  /** The same in the database. */
  readonly appendInDatabase: number;
  /** A wake and its read, in the server that has the readers. */
  readonly wake: number;
  readonly wakeInDatabase: number;
  readonly delivery: number;
  /** What an append to a run that a server has no reader of takes there: the notification that it hears. */
  readonly unheard: number;
  /** A live stream, a second. */
  readonly stream: number;
  /** Resident memory of a live stream, in bytes. */
  readonly streamBytes: number;
}

/** Processor time a second, in cores. */
export interface Cores {
  /** Of all servers that take appends. */
  readonly appending: number;
  /** Of all servers that hold streams. */
  readonly streaming: number;
  readonly database: number;
}

const MICROS = 1_000_000;

/** What the servers and one database, which all of them share, take for a load. */
export function predict(load: Load, costs: UnitCosts): Cores {
  const { appends, wakes, deliveries, streams, streamingServers } = load;
  // Every server hears of every append; where it has a reader of the run, that is a wake.
  const unheard = Math.max(0, streamingServers * appends - wakes);
  return {
    appending: (appends * costs.append) / MICROS,
    streaming:
      (wakes * costs.wake +
        deliveries * costs.delivery +
        streams * costs.stream +
        unheard * costs.unheard) /
      MICROS,
    database: (appends * costs.appendInDatabase + wakes * costs.wakeInDatabase) / MICROS,
  };
}

/** What a deployment may ask of its machines. */
export interface Plan {
  /** The part of a core that is planned with, so that a peak finds room. */
  readonly utilisation: number;
  /** How many cores one database can use: 1 for Redis. */
  readonly databaseCores: number;
  /** How many streams one server process may hold. */
  readonly streamsAServer: number;
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
 * @param load of all databases together; its `streamingServers` is what is asked
 */
export function plan(
  load: Omit<Load, "streamingServers">,
  costs: UnitCosts,
  { utilisation, databaseCores, streamsAServer }: Plan,
): Needs {
  const heard = (load.appends * costs.unheard) / MICROS;
  const whole = predict({ ...load, streamingServers: 0 }, costs);
  const databases = Math.max(
    1,
    Math.ceil(whole.database / (databaseCores * utilisation)),
    Math.ceil(heard / (utilisation / 2)),
  );
  // A wake is heard too, but is no more than a wake.
  const work = whole.streaming - (load.wakes * costs.unheard) / MICROS;
  const serversADatabase = Math.max(
    Math.ceil(work / databases / (utilisation - heard / databases)),
    Math.ceil(load.streams / databases / streamsAServer),
    1,
  );
  return {
    databases,
    databaseCores: whole.database / utilisation,
    appendingServers: Math.max(databases, Math.ceil(whole.appending / utilisation)),
    streamingServers: databases * serversADatabase,
    streamGiB: (load.streams * costs.streamBytes) / 2 ** 30,
  };
}
