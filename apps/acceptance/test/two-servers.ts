import { type RestartingServer, startRestartingServer } from "./restarting-server.ts";
import { eventSource } from "./clients/eventsource.ts";
import { eventSourceClient } from "./clients/eventsource-client.ts";
import type { StreamClient } from "./stream-client.ts";
import type { Strike } from "./play.ts";

/** The clients that follow a play on a shared store. */
export const CLIENTS: readonly StreamClient[] = [eventSource, eventSourceClient];

/** Bounds a hang. */
export const LONG_MS = 180_000;

/** Two servers on one store, sharing their sessions. */
export async function startTwoServers(storeUrl: string): Promise<readonly RestartingServer[]> {
  const settings = { storeUrl, env: { SESSION_SECRET: "a secret that these servers share" } };
  return [await startRestartingServer(settings), await startRestartingServer(settings)];
}

/** The fault this many times, with a growing delay between two of them. */
export function strikes(count: number, blow: (index: number) => Promise<void>): readonly Strike[] {
  return Array.from({ length: count }, (_, index) => ({
    acknowledged: 8 + index,
    turns: 7 * index,
    blow: () => blow(index),
  }));
}
