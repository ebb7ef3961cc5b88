import { join } from "node:path";
import { type ConformanceCase, runHttpConformance } from "@tm/run-events-conformance/http";
import { expect, it } from "vitest";
import { startServer, TOKEN } from "./server-process.ts";
import { makeTempFolder } from "./temp-folder.ts";

const TOKENS = [TOKEN, "a-token-of-bob"] as const;
const ALLOWED_ORIGIN = "https://app.example";
const DRAIN_MS = 500;
/** Short, but long enough for a busy machine. */
const DEADLINES = { heartbeatMs: 300, stallMs: 1_000, maxStreamAgeMs: 8_000, leaseGraceMs: 500 };
const LIMITS = { queuedForMs: 900, idleForMs: 600, waitingForMs: 1_200 };

/** Bounds a hang of more than a hundred cases. */
const LONG_MS = 180_000;

/** Runs the cases one after the other, and says what failed. */
async function failuresOf(cases: readonly ConformanceCase[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { run } of cases) {
    await run().catch((error: Error) => failed.push(error.message));
  }
  return failed;
}

it(
  "the reference server passes every case of the HTTP kit, over loopback",
  { timeout: LONG_MS },
  async () => {
    const users = { API_TOKENS: `ada=${TOKENS[0]},bob=${TOKENS[1]}` };
    const asked = {
      storeUrl: `sqlite:${join(await makeTempFolder(), "run-events.db")}`,
      env: { ...users, ALLOWED_ORIGINS: ALLOWED_ORIGIN, DRAIN_MS: String(DRAIN_MS) },
    };
    let server = await startServer(asked);
    const hasty = await startServer({
      storeUrl: `sqlite:${join(await makeTempFolder(), "run-events.db")}`,
      env: {
        ...users,
        HEARTBEAT_MS: String(DEADLINES.heartbeatMs),
        STALL_MS: String(DEADLINES.stallMs),
        MAX_STREAM_AGE_MS: String(DEADLINES.maxStreamAgeMs),
        LEASE_GRACE_MS: String(DEADLINES.leaseGraceMs),
        REAP_INTERVAL_MS: "100",
      },
    });
    const idle = await startServer({
      storeUrl: `sqlite:${join(await makeTempFolder(), "run-events.db")}`,
      env: {
        ...users,
        LEASE_GRACE_MS: "0",
        QUEUED_FOR_MS: String(LIMITS.queuedForMs),
        IDLE_FOR_MS: String(LIMITS.idleForMs),
        WAITING_FOR_MS: String(LIMITS.waitingForMs),
        REAP_INTERVAL_MS: "100",
      },
    });
    const cases = runHttpConformance({
      name: "server",
      baseUrl: () => server.url,
      tokens: TOKENS,
      allowedOrigin: ALLOWED_ORIGIN,
      hasty: { ...DEADLINES, baseUrl: hasty.url },
      idle: { ...LIMITS, baseUrl: idle.url },
      drain: {
        windowMs: DRAIN_MS,
        begin: () => server.stop(),
        async restart() {
          server = await startServer(asked);
        },
      },
    });
    // W40 to W42 are promises of a worker's program, not of the server.
    const every = Array.from({ length: 49 }, (_, index) => index + 1)
      .filter((clause) => clause < 40 || clause > 42)
      .map((clause) => `W${clause}`);
    expect(new Set(cases.map(({ clause }) => clause))).toEqual(new Set(every));
    expect(await failuresOf(cases)).toEqual([]);
  },
);
