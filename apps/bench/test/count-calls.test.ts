import { createMemoryStore, createRunEvents } from "@tm/run-events-core";
import { expect, it } from "vitest";
import { countCalls } from "../src/count-calls.ts";

const DRAFT = [{ eventType: "STEP" }];

it("counts calls of append and read, however many appends or reads share one, and nothing else", async () => {
  const { store, calls } = countCalls(createMemoryStore());
  const runs = createRunEvents({ store });
  await Promise.all(["a", "b"].map((runId) => runs.create({ ownerId: "ada", runId })));
  await runs.get("a");
  await runs.list({ ownerId: "ada" });
  expect(calls()).toEqual({ commits: 0, sharedCommits: 0, reads: 0 });
  await runs.append("a", DRAFT);
  expect(calls()).toEqual({ commits: 1, sharedCommits: 0, reads: 0 });
  await Promise.all(["a", "b"].map((runId) => runs.append(runId, DRAFT)));
  expect(calls()).toEqual({ commits: 2, sharedCommits: 1, reads: 0 });
  await Promise.all(["a", "b"].map((runId) => runs.read(runId, { limit: 1 })));
  expect(calls()).toEqual({ commits: 2, sharedCommits: 1, reads: 1 });
  await runs.close();
});
