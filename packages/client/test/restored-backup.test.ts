import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { followRun, startRun } from "@tm/run-events-client";
import { createClient } from "@tm/run-events-client/runs";
import { workRun } from "@tm/run-events-client/work";
import { expect, it, onTestFinished } from "vitest";
import { failureOf } from "./failure-of.ts";
import { keepSeen, notes } from "./keep-seen.ts";
import { startServer } from "./start-server.ts";

const CREDENTIALS = [{ cookie: "session=ada" }, { bearer: "ada" }] as const;
const CHANGED = { code: "history_changed", retryable: false };

it("W46: each loop and each worker that was ahead learns of it after a restored backup, and no other one", async () => {
  const { baseUrl, backUp, restart } = await startBackedUp();
  const mine = { baseUrl, credential: { bearer: "ada" }, mostDelayMs: 200 } as const;
  const runs = createClient(mine);
  for (const runId of ["losing", "same", "worked"]) {
    await runs.create({ runId });
    await runs.append(runId, notes(5));
  }
  const ahead = CREDENTIALS.map((credential) =>
    keepSeen(followRun({ ...mine, credential, runId: "losing" })),
  );
  const others = CREDENTIALS.map((credential) =>
    keepSeen(followRun({ ...mine, credential, runId: "same" })),
  );
  const writer = await startRun({ ...mine, runId: "written" });
  const [claimed, kept, lost, restored] = Array.from({ length: 4 }, () =>
    Promise.withResolvers<void>(),
  ) as [Gate, Gate, Gate, Gate];
  const work = workRun({ ...mine, runId: "worked", leaseMs: 3_600_000 }, async (run) => {
    claimed.resolve();
    await kept.promise;
    await run.append(notes(3));
    lost.resolve();
    await restored.promise;
    await run.append(notes(1));
  });
  const worked = failureOf(work);
  await claimed.promise;
  backUp();
  kept.resolve();
  await lost.promise;
  await runs.append("losing", notes(5));
  await writer.append([{ eventType: "NOTE" }, { eventType: "NOTE" }]);
  for (const { seen } of ahead) await expect.poll(() => seen.length).toBe(10);

  await restart();
  await runs.append("losing", notes(15));
  for (const runId of ["losing", "same"]) await runs.cancel(runId);
  restored.resolve();
  for (const { seen, ended } of ahead) {
    expect(await ended).toMatchObject(CHANGED);
    expect(seen).toHaveLength(10);
  }
  for (const { seen, ended } of others) {
    expect(await ended).toBe("the end");
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  }
  expect(await worked).toMatchObject(CHANGED);
  expect(await failureOf(writer.append([{ eventType: "NOTE" }]))).toMatchObject(CHANGED);
  expect(writer.signal.reason).toMatchObject(CHANGED);
  expect(await failureOf(writer.append([{ eventType: "NOTE" }]))).toMatchObject(CHANGED);
  // Its run is not without an end: the writer can still fail it.
  expect(await writer.fail()).toMatchObject({ firstSequence: 3, runStatus: "failed" });
});

type Gate = PromiseWithResolvers<void>;

it.each(["a question", "an iteration over inputs"] as const)(
  "W40, W46: %s that the log has lost ends the work: no later input passes for an earlier one",
  async (which) => {
    const { baseUrl, backUp, restart } = await startBackedUp();
    const mine = { baseUrl, credential: { bearer: "ada" }, mostDelayMs: 200 } as const;
    const runs = createClient(mine);
    const { runId } = await runs.create();
    await runs.append(runId, notes(1));
    const [claimed, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const got: unknown[] = [];
    const stopped = Promise.withResolvers<unknown>();
    const work = workRun({ ...mine, runId, leaseMs: 3_600_000 }, async (run) => {
      run.signal.addEventListener("abort", () => stopped.resolve(run.signal.reason));
      claimed.resolve();
      await kept.promise;
      if (which === "a question") return (await run.ask("Milk?")).payload;
      for await (const { payload } of run.inputs()) got.push(payload);
      return "the iteration has ended";
    });
    const worked = failureOf(work);
    await claimed.promise;
    backUp();
    kept.resolve();
    if (which === "a question")
      await expect.poll(async () => (await runs.get(runId)).runStatus).toBe("waiting");
    else {
      await runs.input(runId, "first");
      await expect.poll(() => got).toEqual(["first"]);
    }
    await restart();
    await runs.input(runId, { milk: true });
    await runs.input(runId, "anything?");
    expect(await worked).toMatchObject(CHANGED);
    expect(await stopped.promise).toMatchObject(CHANGED);
    expect(got).toEqual(which === "a question" ? [] : ["first"]);
    const { events, runStatus } = await runs.events(runId);
    const types = events.map(({ eventType }) => eventType);
    expect(types).toEqual(["NOTE", "INPUT_RECEIVED", "INPUT_RECEIVED"]);
    expect(runStatus).toBe("running");
    // Its lease expires, and the next worker goes on from the log as it is.
    expect(await failureOf(runs.claim(runId, { leaseMs: 60_000 }))).toMatchObject({
      code: "claimed",
    });
  },
);

/** A server whose runs are in a file. */
interface BackedUp {
  readonly baseUrl: string;
  backUp(): void;
  /** The server crashes, the backup is restored, and the server starts again. */
  restart(): Promise<void>;
}

async function startBackedUp(): Promise<BackedUp> {
  const folder = mkdtempSync(join(tmpdir(), "run-events-client-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "runs.db");
  const first = await startServer(file);
  onTestFinished(() => first.close());
  return {
    baseUrl: `http://127.0.0.1:${first.port}`,
    backUp() {
      const db = new DatabaseSync(file);
      db.exec(`VACUUM INTO '${file}.backup'`);
      db.close();
    },
    async restart() {
      await first.crash();
      for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
      copyFileSync(`${file}.backup`, file);
      const second = await startServer(file, first.port);
      onTestFinished(() => second.close());
    },
  };
}
