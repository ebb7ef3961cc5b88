import { expect, it } from "vitest";
import type {
  AppendOperation,
  AppendResult,
  CreateResult,
  LeaseResult,
  Operation,
} from "../src/history/operation.ts";
import { asSentOnce } from "../src/processes/sent-once.ts";

type Times = Pick<AppendOperation, "client" | "begunAt" | "endedAt">;

const head = { firstSequence: 1, lastSequence: 1, runStatus: "running", phaseId: null } as const;
const APPENDED: AppendResult = { outcome: "appended", ...head };
const REPLAYED: AppendResult = { outcome: "replayed", ...head };

function at(client: string, begunAt: number, endedAt: number): Times {
  return { client, begunAt, endedAt };
}

function append(times: Times, result: AppendResult): Operation {
  const conditions = { idempotencyKey: "key", expectedSequence: null, fence: null };
  const sent = { kind: "append", runId: "run", call: 1, ids: ["one"], byOwner: false } as const;
  return { ...sent, ...conditions, ...times, result };
}

function create(times: Times, outcome: Exclude<CreateResult["outcome"], "topic_busy">): Operation {
  return { kind: "create", runId: "run", topic: "topic", ...times, result: { outcome } };
}

function claim(times: Times, result: LeaseResult): Operation {
  return { kind: "lease", runId: "run", asks: "claim", fence: null, leaseMs: 1, ...times, result };
}

function outcomesOf(...operations: readonly Operation[]): readonly string[] {
  return asSentOnce(operations).map((one) => (one.kind === "read" ? "read" : one.result.outcome));
}

it("a batch that no answer shows as appended was by the only call that can have landed it", () => {
  const late = append(at("b", 3, 4), REPLAYED);
  expect(outcomesOf(append(at("a", 1, 2), REPLAYED), late)).toEqual(["appended", "replayed"]);
  expect(outcomesOf(append(at("a", 1, 2), APPENDED), late)).toEqual(["appended", "replayed"]);
});

it("a batch that several calls can have landed is in doubt with each of them", () => {
  const [one, other] = [append(at("a", 1, 5), REPLAYED), append(at("b", 2, 4), REPLAYED)];
  const late = append(at("c", 6, 7), REPLAYED);
  expect(outcomesOf(one, other, late)).toEqual(["unknown", "unknown", "replayed"]);
});

it("a call that failed explains no replay of a later one", () => {
  const failed = append(at("a", 1, 2), { outcome: "failed" });
  expect(outcomesOf(failed, append(at("b", 3, 4), REPLAYED))).toEqual(["failed", "replayed"]);
});

it("a call that was refused leaves a later one to have landed the batch", () => {
  const fenced = append(at("a", 1, 2), { outcome: "fenced" });
  expect(outcomesOf(fenced, append(at("b", 3, 4), REPLAYED))).toEqual(["fenced", "appended"]);
});

it("a run that no answer shows as created was by the first call that it was there for", () => {
  const [first, later] = [create(at("a", 1, 2), "finished"), create(at("a", 3, 4), "existing")];
  expect(outcomesOf(first, later)).toEqual(["created", "existing"]);
  expect(outcomesOf(create(at("b", 0, 9), "created"), later)).toEqual(["created", "existing"]);
});

it("a claim that was refused may have been granted before, and one that was granted was", () => {
  const granted = { outcome: "granted", fence: 7, lastSequence: 0 } as const;
  expect(
    outcomesOf(
      claim(at("a", 1, 2), { outcome: "claimed" }),
      claim(at("a", 3, 4), { outcome: "finished" }),
      claim(at("a", 5, 6), granted),
    ),
  ).toEqual(["unknown", "unknown", "granted"]);
});

it("a release that was refused may have landed before, and a renewal that was refused has not", () => {
  const call = { kind: "lease", runId: "run", fence: 7, leaseMs: 1, ...at("a", 1, 2) } as const;
  const refused = (asks: "renew" | "release", outcome: "fenced" | "finished"): Operation => ({
    ...call,
    asks,
    result: { outcome },
  });
  expect(
    outcomesOf(
      refused("release", "fenced"),
      refused("release", "finished"),
      refused("renew", "fenced"),
    ),
  ).toEqual(["unknown", "unknown", "fenced"]);
});
