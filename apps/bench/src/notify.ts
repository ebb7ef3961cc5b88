import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import { type AppendWriter, CALLERS, checkCount } from "./append-writer.ts";
import type { Child, startChild } from "./child.ts";
import type { NotifyListener } from "./notify-listener.ts";
import type { BareAppend } from "./postgres-append-bare.ts";
import type { OurNotifications } from "./postgres-append-ours.ts";
import { describePostgres } from "./postgres-log.ts";
import type { Figure, Report, Scale, Section } from "./report.ts";
import { type Cost, costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { withServer } from "./with-server.ts";

/** Whether telling other processes of appends slows these down, and what it does inside their transactions. */
export const notify: Section = {
  name: "notify",
  question: `What do notifications cost ${CALLERS} callers that append to ${CALLERS} runs, with a second process that watches these?`,
  run: (scale) =>
    withServer(startPostgres(), (postgres, start) => measureNotify(scale, postgres, start)),
};

async function measureNotify(
  { quick, rounds }: Scale,
  postgres: PostgresServer,
  start: typeof startChild,
): Promise<Report> {
  const appends = quick ? 640 : 12_800;
  const load = { appends, callers: CALLERS, runs: CALLERS };
  const bareLoad = { ...load, appends: appends / 4 };
  const urls = {
    sent: await postgres.createDatabase(),
    kept: await postgres.createDatabase(),
    inside: await postgres.createDatabase(),
    without: await postgres.createDatabase(),
  };
  const startOurs = (url: string, notifications: OurNotifications) =>
    start<AppendWriter>(new URL("postgres-append-ours.ts", import.meta.url), url, notifications);
  const startBare = (url: string, kind: BareAppend) =>
    start<AppendWriter>(new URL("postgres-append-bare.ts", import.meta.url), url, kind);
  const sent = startOurs(urls.sent, "passed");
  const kept = startOurs(urls.kept, "kept");
  const inside = startBare(urls.inside, "notify");
  const without = startBare(urls.without, "text");
  // A writer answers once its database has its tables.
  await Promise.all([sent, kept, inside, without].map((writer) => checkCount(writer, 0)));
  const listen = (url: string) =>
    start<NotifyListener>(new URL("notify-listener.ts", import.meta.url), url);
  const listeners = { sent: listen(urls.sent), inside: listen(urls.inside) };
  const rings: Record<keyof typeof listeners, number[]> = { sent: [], inside: [] };
  const heard =
    (writer: Child<AppendWriter>, of: typeof load, name: keyof typeof listeners) =>
    async (): Promise<Cost> => {
      const cost = await writer.call("append", of);
      rings[name].push(await listeners[name].call("rung"));
      return cost;
    };
  const costs = await takeTurns(rounds, {
    sent: heard(sent, load, "sent"),
    kept: () => kept.call("append", load),
    inside: heard(inside, bareLoad, "inside"),
    without: () => without.call("append", bareLoad),
  });
  for (const writer of [sent, kept]) await checkCount(writer, (rounds + 1) * appends);
  for (const writer of [inside, without]) await checkCount(writer, (rounds + 1) * bareLoad.appends);
  return {
    targets: [
      {
        name: "ours: notifications on / off, appends a second",
        unit: "×",
        values: ratios(wallMicros(costs.kept), wallMicros(costs.sent)),
        bound: 0.9,
        kind: "at least",
      },
    ],
    figures: [
      {
        name: "bare: pg_notify in each transaction / without, appends a second",
        unit: "×",
        values: ratios(wallMicros(costs.without), wallMicros(costs.inside)),
      },
      ...costFigures("ours, on", "append", costs.sent),
      ...costFigures("ours, off", "append", costs.kept),
      ...costFigures("bare, pg_notify in each transaction", "append", costs.inside),
      ...costFigures("bare, without", "append", costs.without),
      ringsFigure("ours, on", rings.sent, costs.sent),
      ringsFigure("bare, pg_notify in each transaction", rings.inside, costs.inside),
    ],
    notes: [
      await describePostgres(postgres.url),
      "In every round each of the second process's bells rang. Each database holds the events that were acknowledged.",
    ],
  };
}

function ringsFigure(name: string, rings: readonly number[], costs: readonly Cost[]): Figure {
  const counted = rings.slice(1);
  return {
    name: `${name}: rings in the second process`,
    unit: "rings/append",
    values: costs.map(({ units }, round) => (counted[round] ?? Number.NaN) / units),
  };
}
