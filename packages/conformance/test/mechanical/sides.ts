import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ConformanceCase } from "@tm/run-events-conformance";
import { sourcesIn } from "./mutants.ts";

/** What is mutated, and the kit that has to see it. Imports nothing of it before `open` is called. */
export interface Side {
  readonly files: readonly string[];
  /** Whether waits take hardly any time. Requests to a port take as long as they take. */
  readonly isFast: boolean;
  /** Opens what the cases run on. */
  open(seed: number): Promise<OpenSide>;
}

export interface OpenSide {
  readonly cases: readonly ConformanceCase[];
  close(): Promise<void>;
}

export type SideName = "store" | "server";

/** Feeds of changed runs have tests of their own. */
const FEEDS =
  "changed|change-cursor|live-groups|witnesses|listed|status-mark|departures|follow/feed|feed-source|feed-frame|feed-query";
/** What a store decides by. The other rules are of the calls in front of it. */
const DECIDED = "rules/(claims|idle|judge-append|lease|page|plan-|owner-name)";
/** What a store on a server does besides, and what only reports. */
const ELSEWHERE = "poll|connections|check-store|store-reports|telemetry|diagnostic|describe-value";
const FEED_CASES = /^(S29|W48) /;
/** Other clauses are not promised by what is mutated: the kit's users, sessions and paths of a host stand in front of it. */
const DEADLINES = { heartbeatMs: 60, stallMs: 150, maxStreamAgeMs: 900, leaseGraceMs: 300 };
const LIMITS = { queuedForMs: 450, idleForMs: 300, waitingForMs: 600 };
const REAP_MS = 50;

export const SIDES: Readonly<Record<SideName, Side>> = {
  store: {
    files: sourcesIn(["core/src/rules/", "core/src/store/"], {
      only: `store/|lifecycle|${DECIDED}`,
      except: `${FEEDS}|${ELSEWHERE}`,
    }),
    isFast: true,
    async open(seed) {
      const { runEventStoreConformance } = await import("@tm/run-events-conformance");
      const { createMemoryStore } = await import("@tm/run-events-core");
      const { sharedMemoryDoors } = await import("../shared-memory.ts");
      const options = { name: "mutant", profile: "quick", seed } as const;
      const shared = runEventStoreConformance({ ...options, ...sharedMemoryDoors() });
      const alone = runEventStoreConformance({ ...options, open: () => createMemoryStore() });
      // Two store objects that share their data never close it.
      const closed = alone
        .filter(({ clause }) => clause === "S18")
        .map((one) => ({ ...one, name: `${one.name}, alone` }));
      const cases = [...shared, ...closed];
      return { cases: withoutFeeds(cases), close: async () => {} };
    },
  },
  server: {
    files: sourcesIn(
      [
        "http/src/",
        ...["rules/", "log/", "follow/", "stream/", "wire/"].map((room) => `core/src/${room}`),
      ],
      { only: "", except: `${FEEDS}|${ELSEWHERE}|${DECIDED}` },
    ),
    isFast: false,
    open: openServers,
  },
};

function withoutFeeds(cases: readonly ConformanceCase[]): readonly ConformanceCase[] {
  return cases.filter(({ name }) => !FEED_CASES.test(name));
}

/** The server on three ports: as it is, with short deadlines, and one that soon ends runs on which no worker works. */
async function openServers(seed: number): Promise<OpenSide> {
  const { runHttpConformance } = await import("@tm/run-events-conformance/http");
  const { createMemoryStore, createRunEvents } = await import("@tm/run-events-core");
  const { createNodeHandler } = await import("@tm/run-events-http/node");
  const { identify } = await import("../http/users.ts");
  const ends: (() => Promise<void>)[] = [];

  async function listen(
    deadlines: { heartbeatMs?: number; stallMs?: number; maxAgeMs?: number },
    limits: Partial<typeof LIMITS> | null,
    graceMs: number,
  ): Promise<string> {
    const runs = createRunEvents({ store: createMemoryStore() });
    const { handle } = createNodeHandler({
      runs,
      authenticate: ({ headers }, wanted) =>
        identify(headers.authorization ?? null, headers.cookie ?? null, wanted),
      ...deadlines,
    });
    const server = createServer(handle).listen(0, "127.0.0.1");
    await once(server, "listening");
    const reap = (): unknown => runs.reap({ graceMs, confirmMs: 0, ...limits }).catch(() => {});
    const reaping = limits === null ? undefined : setInterval(reap, REAP_MS);
    ends.push(async () => {
      clearInterval(reaping);
      server.close();
      server.closeAllConnections();
      await runs.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const { maxStreamAgeMs, heartbeatMs, stallMs, leaseGraceMs } = DEADLINES;
  const own = { heartbeatMs, stallMs, maxAgeMs: maxStreamAgeMs };
  const options = {
    name: "mutant",
    profile: "quick",
    seed,
    baseUrl: await listen({}, null, 0),
    tokens: ["ada", "bob"],
    cookieFor: (token: string) => `session=${token}`,
    hasty: { ...DEADLINES, baseUrl: await listen(own, {}, leaseGraceMs) },
    idle: { ...LIMITS, baseUrl: await listen({}, LIMITS, 0) },
  } as const;
  return {
    cases: withoutFeeds(runHttpConformance(options)),
    async close() {
      await Promise.allSettled(ends.map((end) => end()));
    },
  };
}
