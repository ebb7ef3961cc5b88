import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Child, withChildren } from "./child.ts";
import {
  type BrowserUsage,
  bundlePage,
  type CalledPage,
  DashboardBrowser,
} from "./dashboard-browser.ts";
import type { DashboardPage, Shown } from "./dashboard-page.ts";
import type { Appended, DashboardLoad, DashboardServer } from "./dashboard-subjects.ts";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { type Cost, ratios, takeTurns } from "./rounds.ts";
import { withTempFolder } from "./temp-folder.ts";

const ROWS = 200;
/** Each turn takes seconds: most of it is waiting. */
const MOST_ROUNDS = 5;
/** How long the last changes may take to be shown. */
const MOST_LAG_MS = 10_000;

const SUBJECTS = {
  feed: "the feed",
  poll: "polling each second",
  none: "no page",
} as const;
type Subject = keyof typeof SUBJECTS;

/** One turn of one subject. */
interface Measured {
  readonly server: Cost;
  readonly browser: BrowserUsage;
  /** The 99th percentile of the times from an event's acknowledgement until its row shows it. */
  readonly lagMs: number;
}

/** What a page that shows 200 live runs costs. */
export const dashboard: Section = {
  name: "dashboard",
  question:
    "What does a page of 200 live runs cost, and how late is it, next to one that polls each second?",
  run: ({ quick, rounds }) =>
    withTempFolder(async (folder) => {
      const script = await bundlePage();
      return withChildren(async (start) => {
        const module = new URL("dashboard-subjects.ts", import.meta.url);
        const server = start<DashboardServer>(module, "serve", join(folder, "log.db"), script);
        await server.call("fill", ROWS);
        const browser = await DashboardBrowser.start();
        try {
          return await measureLoads(
            { quick, rounds: Math.min(rounds, MOST_ROUNDS) },
            server,
            browser,
          );
        } finally {
          await browser.close();
        }
      });
    }),
};

async function measureLoads(
  { quick, rounds }: Scale,
  server: Child<DashboardServer>,
  browser: DashboardBrowser,
): Promise<Report> {
  const url = `http://127.0.0.1:${await server.call("listen")}/`;
  const seconds = quick ? 1 : 10;
  const figures: Figure[] = [];
  const targets = [];
  for (const perSecond of [10, 200]) {
    const load: DashboardLoad = { perSecond, seconds };
    const measured = await takeTurns(rounds, {
      feed: () => measureTurn("feed", load, { server, browser, url }),
      poll: () => measureTurn("poll", load, { server, browser, url }),
      none: () => measureTurn("none", load, { server, browser, url }),
    });
    figures.push(...figuresOf(measured, load));
    targets.push({
      name: `${perSecond} changes a second: lag of the feed / of polling, p99`,
      unit: "×",
      values: ratios(measured.feed.map(lagOf), measured.poll.map(lagOf)),
      bound: 0.25,
      kind: "at most" as const,
    });
  }
  return {
    targets,
    figures,
    notes: [
      `At the end of each turn all ${ROWS} rows showed the last event of their run, and the page of the feed had one stream.`,
      "SQLite is asked a hundred times a second whether another process has written, as long as there is one reader or more: this is in the feed's figures.",
      "The processor of the server has the appends in it. The page is Chromium's process for it; the browser is all its processes.",
    ],
  };
}

function lagOf({ lagMs }: Measured): number {
  return lagMs;
}

function figuresOf(
  measured: Readonly<Record<Subject, readonly Measured[]>>,
  { perSecond, seconds }: DashboardLoad,
): readonly Figure[] {
  const percent = (micros: number): number => micros / seconds / 10_000;
  const named = (subject: Subject, what: string): string =>
    `${perSecond} changes a second, ${SUBJECTS[subject]}: ${what}`;
  const cpu = (subject: Subject, what: string, read: (one: Measured) => number): Figure => ({
    name: named(subject, what),
    unit: "% of a core",
    values: measured[subject].map((one) => percent(read(one))),
  });
  return [
    ...(["feed", "poll", "none"] as const).map((subject) =>
      cpu(subject, "server", ({ server }) => server.cpuMicros),
    ),
    ...(["feed", "poll"] as const).flatMap((subject) => [
      cpu(subject, "page", ({ browser }) => browser.page),
      cpu(subject, "browser", ({ browser }) => browser.all),
      { name: named(subject, "lag, p99"), unit: "ms", values: measured[subject].map(lagOf) },
    ]),
  ];
}

interface Scene {
  readonly server: Child<DashboardServer>;
  readonly browser: DashboardBrowser;
  readonly url: string;
}

async function measureTurn(
  subject: Subject,
  load: DashboardLoad,
  { server, browser, url }: Scene,
): Promise<Measured> {
  if (subject === "none") {
    const { cost } = await server.call("advance", load);
    return { server: cost, browser: { page: 0, all: 0 }, lagMs: 0 };
  }
  return browser.withPage(url, async (page) => {
    await page.call(subject === "feed" ? "follow" : "poll");
    const rows = new Map<string, number>();
    const shown: Shown[] = [];
    await showAll(page, shown, () => noteShown(rows, shown) === ROWS);
    const streams = await server.call("streams");
    if (streams !== (subject === "feed" ? 1 : 0))
      throw new Error(`${SUBJECTS[subject]}: the page has ${streams} streams.`);
    const before = await browser.usage();
    const { cost, appended } = await server.call("advance", load);
    const after = await browser.usage();
    await showAll(page, shown, () => {
      noteShown(rows, shown);
      return appended.every(({ runId, sequence }) => (rows.get(runId) ?? 0) >= sequence);
    });
    return {
      server: cost,
      browser: { page: after.page - before.page, all: after.all - before.all },
      lagMs: lagAt99(appended, shown),
    };
  });
}

/**
 * Takes what the page shows until it is all that is wanted.
 * @throws when that takes too long
 */
async function showAll(page: CalledPage, shown: Shown[], isAll: () => boolean): Promise<void> {
  const untilMs = performance.now() + MOST_LAG_MS;
  for (;;) {
    shown.push(...(await page.call("takeShown" satisfies keyof DashboardPage)));
    if (isAll()) return;
    if (performance.now() > untilMs)
      throw new Error("The page does not show every run's last event.");
    await sleep(50);
  }
}

/** Notes how far each row is. @returns how many rows there are */
function noteShown(rows: Map<string, number>, shown: readonly Shown[]): number {
  for (const { runId, lastSequence } of shown) rows.set(runId, lastSequence);
  return rows.size;
}

/** The 99th percentile of the times until a row showed an event or a later one. */
function lagAt99(appended: readonly Appended[], shown: readonly Shown[]): number {
  const byRun = Map.groupBy(shown, ({ runId }) => runId);
  const lags = appended
    .map(({ runId, sequence, atMs }) => {
      const first = byRun.get(runId)?.find(({ lastSequence }) => lastSequence >= sequence);
      // A page can show an event before its append is acknowledged.
      return Math.max(0, (first?.atMs ?? Number.NaN) - atMs);
    })
    .toSorted((one, other) => one - other);
  return lags[Math.ceil(lags.length * 0.99) - 1] ?? Number.NaN;
}
