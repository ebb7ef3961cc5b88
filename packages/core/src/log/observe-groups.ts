import type { Report } from "../rules/telemetry.ts";
import type { Clock } from "../time/clock.ts";
import type { BatcherOptions } from "./batcher.ts";
import type { Write } from "./write.ts";

type SendWrites = BatcherOptions<Write, unknown>["send"];

/** Reports each group of writes that has appends. @param queued how many writes wait for the next groups */
export function observeGroups(
  send: SendWrites,
  queued: () => number,
  clock: Clock,
  report: Report,
): SendWrites {
  return async (group, sending) => {
    const appends = group.filter(({ call }) => call === "append").length;
    if (appends === 0) return send(group, sending);
    const fromMs = clock.now();
    const measured = { type: "append_group", appends, queued: queued() } as const;
    try {
      await send(group, sending);
    } finally {
      report({ ...measured, ms: clock.now() - fromMs });
    }
  };
}
