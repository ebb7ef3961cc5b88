import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import { type AppendWriter, CALLERS, checkCount } from "./append-writer.ts";
import { type startChild, withServer } from "./child.ts";
import { describePostgres, POOL_SIZE } from "./postgres-log.ts";
import type { Report, Scale, Section } from "./report.ts";
import { costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";

const HOT_CALLERS = 16;

/** Appends that return when Postgres has committed them, against one statement an append. */
export const postgresAppend: Section = {
  name: "postgres-append",
  question: `How many single-event appends a second does a process get from Postgres over ${POOL_SIZE} connections?`,
  run: (scale) =>
    withServer(startPostgres(), (postgres, start) => measureAppends(scale, postgres, start)),
};

async function measureAppends(
  { quick, rounds }: Scale,
  postgres: PostgresServer,
  start: typeof startChild,
): Promise<Report> {
  const appends = quick ? 640 : 12_800;
  const startSubject = async (name: "ours" | "bare" | "prepared") =>
    start<AppendWriter>(
      new URL("postgres-append-subjects.ts", import.meta.url),
      name,
      await postgres.createDatabase(),
    );
  const ours = await startSubject("ours");
  const bare = await startSubject("bare");
  const prepared = await startSubject("prepared");
  // As many seconds for each, more or less.
  const spread = { appends, callers: CALLERS, runs: CALLERS };
  const bareSpread = { ...spread, appends: appends / 2 };
  const hot = { appends: appends / 2, callers: HOT_CALLERS, runs: 1 };
  const bareHot = { ...hot, appends: appends / 8 };
  const costs = await takeTurns(rounds, {
    ours: () => ours.call("append", spread),
    bare: () => bare.call("append", bareSpread),
    prepared: () => prepared.call("append", bareSpread),
    oursHot: () => ours.call("append", hot),
    bareHot: () => bare.call("append", bareHot),
  });
  // The round that is not counted appends too.
  await checkCount(ours, (rounds + 1) * (spread.appends + hot.appends));
  await checkCount(bare, (rounds + 1) * (bareSpread.appends + bareHot.appends));
  await checkCount(prepared, (rounds + 1) * bareSpread.appends);
  return {
    targets: [
      {
        name: `${CALLERS} runs: ours / bare, appends a second`,
        unit: "×",
        values: ratios(wallMicros(costs.bare), wallMicros(costs.ours)),
        bound: 8,
        kind: "at least",
      },
      {
        name: `one run, ${HOT_CALLERS} callers: ours / bare, appends a second`,
        unit: "×",
        values: ratios(wallMicros(costs.bareHot), wallMicros(costs.oursHot)),
        bound: 12,
        kind: "at least",
      },
    ],
    figures: [
      {
        name: `${CALLERS} runs: ours / bare prepared, appends a second`,
        unit: "×",
        values: ratios(wallMicros(costs.prepared), wallMicros(costs.ours)),
      },
      ...costFigures(`ours, ${CALLERS} runs`, "append", costs.ours),
      ...costFigures(`bare, ${CALLERS} runs`, "append", costs.bare),
      ...costFigures(`bare prepared, ${CALLERS} runs`, "append", costs.prepared),
      ...costFigures("ours, one run", "append", costs.oursHot),
      ...costFigures("bare, one run", "append", costs.bareHot),
    ],
    notes: [
      await describePostgres(postgres.url),
      "Each database holds the events that were acknowledged, each run its own without a gap.",
    ],
  };
}
