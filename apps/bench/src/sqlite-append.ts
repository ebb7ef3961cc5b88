import { join } from "node:path";
import { type AppendWriter, CALLERS, checkCount } from "./append-writer.ts";
import { startChild } from "./child.ts";
import type { Report, Scale, Section, Target } from "./report.ts";
import { type Cost, costFigures, ratios, takeTurns, wallMicros } from "./rounds.ts";
import { withTempFolder } from "./temp-folder.ts";

/** Appends that return when they are on the disk, against the driver alone on the same tables, pragmas and disk. */
export const sqliteAppend: Section = {
  name: "sqlite-append",
  question: `How many single-event appends a second do ${CALLERS} concurrent callers get from SQLite?`,
  run: (scale) => withTempFolder((folder) => measureAppends(scale, folder)),
};

async function measureAppends({ quick, rounds }: Scale, folder: string): Promise<Report> {
  const appends = quick ? 640 : 12_800;
  const module = new URL("sqlite-append-subjects.ts", import.meta.url);
  const startBare = (name: string, appendsATransaction: number) =>
    startChild<AppendWriter>(module, "bare", join(folder, name), String(appendsATransaction));
  const ours = startChild<AppendWriter>(module, "ours", join(folder, "ours.db"));
  const single = startBare("single.db", 1);
  const batch = startBare("batch.db", CALLERS);
  try {
    const hot = { appends, callers: CALLERS, runs: 1 };
    const spread = { appends, callers: CALLERS, runs: CALLERS };
    const costs = await takeTurns(rounds, {
      oursHot: () => ours.call("append", hot),
      singleHot: () => single.call("append", hot),
      batchHot: () => batch.call("append", hot),
      oursSpread: () => ours.call("append", spread),
      singleSpread: () => single.call("append", spread),
      batchSpread: () => batch.call("append", spread),
    });
    // Each of the rounds, and the first one that is not counted, in both shapes.
    const acknowledged = 2 * (rounds + 1) * appends;
    for (const writer of [ours, single, batch]) await checkCount(writer, acknowledged);
    return {
      targets: [
        ...compare("one run", costs.oursHot, costs.singleHot, costs.batchHot),
        ...compare(`${CALLERS} runs`, costs.oursSpread, costs.singleSpread, costs.batchSpread),
      ],
      figures: [
        ...costFigures("ours, one run", "append", costs.oursHot),
        ...costFigures("bare, a transaction each, one run", "append", costs.singleHot),
        ...costFigures(`bare, ${CALLERS} a transaction, one run`, "append", costs.batchHot),
        ...costFigures(`ours, ${CALLERS} runs`, "append", costs.oursSpread),
        ...costFigures(`bare, a transaction each, ${CALLERS} runs`, "append", costs.singleSpread),
        ...costFigures(
          `bare, ${CALLERS} a transaction, ${CALLERS} runs`,
          "append",
          costs.batchSpread,
        ),
      ],
      notes: [`Each file holds the ${acknowledged} events that were acknowledged.`],
    };
  } finally {
    await Promise.all([ours.stop(), single.stop(), batch.stop()]);
  }
}

function compare(
  where: string,
  ours: readonly Cost[],
  single: readonly Cost[],
  batch: readonly Cost[],
): Target[] {
  return [
    {
      name: `${where}: ours / bare, a transaction each, appends a second`,
      unit: "×",
      values: ratios(wallMicros(single), wallMicros(ours)),
      bound: 6,
      kind: "at least",
    },
    {
      name: `${where}: ours / bare, ${CALLERS} a transaction, appends a second`,
      unit: "×",
      values: ratios(wallMicros(batch), wallMicros(ours)),
      bound: 0.85,
      kind: "at least",
    },
  ];
}
