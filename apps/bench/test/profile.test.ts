import { expect, it } from "vitest";
import { allocationShares, cpuShares } from "../src/profile.ts";

const frame = (functionName: string, url = "") => ({
  functionName,
  url,
  scriptId: "1",
  lineNumber: 41,
  columnNumber: 0,
});

it("a function's share is of the time in which the process did anything", () => {
  const shares = cpuShares({
    nodes: [
      { id: 1, callFrame: frame("(idle)") },
      { id: 2, callFrame: frame("", "file:///somewhere/packages/core/src/tail.ts") },
      { id: 3, callFrame: frame("writev") },
    ],
    startTime: 0,
    endTime: 100,
    samples: [1, 2, 3, 2],
    timeDeltas: [60, 10, 10, 20],
  });
  expect(Object.fromEntries(shares)).toEqual({
    "(anonymous) packages/core/src/tail.ts:42": 0.75,
    writev: 0.25,
  });
});

it("allocations are summed over every place that a function was called from", () => {
  const node = (name: string, selfSize: number, children: readonly object[] = []) => ({
    callFrame: frame(name),
    selfSize,
    id: 1,
    children,
  });
  const head = node("(root)", 0, [node("a", 30, [node("b", 10)]), node("b", 60)]);
  const shares = allocationShares({ head, samples: [] } as never);
  expect(Object.fromEntries(shares)).toEqual({ "(root)": 0, a: 0.3, b: 0.7 });
});
