import { describe, expect, it } from "vitest";
import { planEnd } from "../src/plan-end.ts";

const exited = (exitCode: number) => ({ kind: "exited", exitCode }) as const;
const signalled = (signal: NodeJS.Signals) => ({ kind: "signalled", signal }) as const;
const received = (signal: NodeJS.Signals, isLate: boolean) => ({ signal, isLate });

describe("the end of a run", () => {
  it.each([
    ["no signal", exited(0), null, "RUN_COMPLETED", 0],
    ["no signal", exited(7), null, "RUN_FAILED", 7],
    [
      "a signal before the command's end",
      exited(0),
      received("SIGINT", false),
      "RUN_CANCELLED",
      130,
    ],
    ["a signal after it", exited(0), received("SIGTERM", true), "RUN_COMPLETED", 0],
    ["a signal after it", exited(7), received("SIGTERM", true), "RUN_FAILED", 7],
    [
      "a signal after another signal ended the command",
      signalled("SIGKILL"),
      received("SIGTERM", true),
      "RUN_FAILED",
      137,
    ],
    [
      "a signal after the end of the command that it caused",
      signalled("SIGINT"),
      received("SIGINT", true),
      "RUN_CANCELLED",
      130,
    ],
  ] as const)(
    "a run with %s, after %j, has the right end",
    (_, exit, signal, eventType, exitCode) => {
      expect(planEnd(exit, signal)).toMatchObject({ event: { eventType }, exitCode });
    },
  );
});
