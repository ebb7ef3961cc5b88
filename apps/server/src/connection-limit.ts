import { readFileSync } from "node:fs";

/** Connections allowed per live stream, and at least in all, since polls, appends and the console need some too. */
const CONNECTIONS_PER_STREAM = 2;
const LEAST_CONNECTIONS = 1_000;

/** File descriptors reserved for the store, files and the process itself. */
const RESERVE = 64;

/** The number of connections that a server accepts. */
export interface ConnectionLimit {
  readonly maxConnections: number;
  /** The descriptors that the process may have and those that its streams need; `null` if it may have enough. */
  readonly shortage: { readonly limit: number; readonly needed: number } | null;
}

/**
 * Plans how many connections a server accepts: as many as its streams need, unless the process may have fewer descriptors. The system
 * silently closes a connection for which there is no descriptor. The server therefore accepts fewer than that, closes the surplus itself,
 * and counts it.
 * @param descriptors the most that the process may have open; `null` if that is not known
 */
export function planConnections(maxStreams: number, descriptors: number | null): ConnectionLimit {
  const wanted = Math.max(LEAST_CONNECTIONS, CONNECTIONS_PER_STREAM * maxStreams);
  const needed = wanted + RESERVE;
  if (descriptors === null || descriptors >= needed)
    return { maxConnections: wanted, shortage: null };
  // If the limit is hardly more than the reserve, half of it.
  const possible = Math.max(Math.floor(descriptors / 2), descriptors - RESERVE);
  return {
    maxConnections: Math.min(wanted, possible),
    shortage: { limit: descriptors, needed },
  };
}

/** The most descriptors that this process may have open; `null` where the system is not Linux, or sets no limit. */
export function readDescriptorLimit(): number | null {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
