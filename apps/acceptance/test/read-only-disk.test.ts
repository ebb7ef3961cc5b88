import { join } from "node:path";
import { expect, it } from "vitest";
import { type Answer, call, readLog } from "./api.ts";
import { startServer } from "./server-process.ts";
import { mountSmallDisk } from "./small-disk.ts";

/** Room for the database and a write-ahead log that has been checkpointed into it, which SQLite does at 4 MB. */
const DISK_BYTES = 16_777_216;
const RUN = "/v1/agent-runs/kept";

/** Appends 320 kB, with a key, so that it can be sent again. */
function append(url: string, key: string): Promise<Answer> {
  const events = Array.from({ length: 16 }, () => ({
    eventType: "NOTE",
    payload: { key, filling: "x".repeat(20_000) },
  }));
  return call(url, "POST", `${RUN}/events`, { events }, { "idempotency-key": key });
}

const REFUSAL: Partial<Answer> = {
  status: 503,
  type: "application/problem+json; charset=utf-8",
  body: {
    type: "/v1/errors/store_unavailable",
    title: "The store is not available",
    status: 503,
    code: "store_unavailable",
    detail: "The database is read-only: make the file and its folder writable.",
  },
};

it("S20: a log on a read-only disk can be read, and every write is refused with a problem", async () => {
  const disk = await mountSmallDisk(DISK_BYTES);
  const options = { storeUrl: `sqlite:${join(disk.folder, "run-events.db")}`, under: disk.under };
  const before = await startServer(options);
  await call(before.url, "POST", "/v1/agent-runs", { runId: "kept" });
  expect(await append(before.url, "first")).toMatchObject({ status: 201 });
  const log = await readLog(before.url, "kept");
  await before.kill();
  await disk.run("mount", "-o", "remount,ro", disk.folder);

  const frozen = await startServer(options);
  expect(await readLog(frozen.url, "kept")).toEqual(log);
  expect(await append(frozen.url, "second")).toEqual(REFUSAL);
  expect(await call(frozen.url, "POST", "/v1/agent-runs", { runId: "new" })).toEqual(REFUSAL);
  expect(await call(frozen.url, "POST", `${RUN}/cancel`)).toEqual(REFUSAL);
  await frozen.kill();
  await disk.run("mount", "-o", "remount,rw", disk.folder);

  const { url, stop } = await startServer(options);
  expect(await readLog(url, "kept")).toEqual(log);
  expect(await append(url, "second")).toMatchObject({ status: 201 });
  // It removes the `-wal` and `-shm`, which SQLite cannot make on a read-only disk.
  await stop();
  await disk.run("mount", "-o", "remount,ro", disk.folder);
  await expect(startServer(options)).rejects.toThrow(
    /cannot open the store sqlite:\S+: expected .* to be writable, got "unable to open database file"; make/,
  );
});
