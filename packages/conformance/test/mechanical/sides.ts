import type { ConformanceCase } from "@tm/run-events-conformance";
import { sourcesIn } from "./mutants.ts";

/** The sources that are mutated, and the kit that has to notice. They are imported only when `open` is called. */
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

/** Watched lists have tests of their own. */
const FEEDS =
  "run-list|list-version|list-reader|watched-list|owner-watch|owner-looks|owned-heads|watches|watch-lists|feed-source|feed-frame|feed-query";
/** The rules for runs, and the code that sends decisions to a store. The other rules belong to the server. */
const DECIDED =
  "rules/(append-rule|claims|due|fold-rules|head|judge-append|land-once|lease|lifecycle|listed|owner-name|page|run-rules)" +
  "|log/(own-keys|run-calls|send-again|send-writes|write.ts)";
/** Further code of stores on a server, and code that only reports. */
const ELSEWHERE =
  "store/kv|decide-changes|poller|check-store|store-reports|telemetry|diagnostic|describe-value";
const FEED_CASES = /^W48 /;
/** Several times what a request takes, and short enough for a kit that runs hundreds of times. */
const DEADLINES = { heartbeatMs: 60, stallMs: 150, maxStreamAgeMs: 900, leaseGraceMs: 300 };
const LIMITS = { queuedForMs: 450, idleForMs: 300, waitingForMs: 600 };

export const SIDES: Readonly<Record<SideName, Side>> = {
  store: {
    files: sourcesIn(["core/src/rules/", "core/src/log/", "core/src/store/"], {
      only: `store/|${DECIDED}`,
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
  const { startServer } = await import("../http/start-server.ts");
  const { maxStreamAgeMs: maxAgeMs, leaseGraceMs: graceMs, ...deadlines } = DEADLINES;
  const servers = await Promise.all([
    startServer(),
    startServer({ ...deadlines, maxAgeMs }, { graceMs, confirmMs: 0 }),
    startServer({}, { graceMs: 0, confirmMs: 0, ...LIMITS }),
  ]);
  const [baseUrl, hastyUrl, idleUrl] = servers.map(({ url }) => url);
  const cases = runHttpConformance({
    name: "mutant",
    profile: "quick",
    seed,
    baseUrl: baseUrl ?? "",
    tokens: ["ada", "bob"],
    cookieFor: (token: string) => `session=${token}`,
    hasty: { ...DEADLINES, baseUrl: hastyUrl ?? "" },
    idle: { ...LIMITS, baseUrl: idleUrl ?? "" },
  });
  return {
    cases: withoutFeeds(cases),
    close: async () => void (await Promise.allSettled(servers.map((server) => server.close()))),
  };
}
