import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Answer, call, readLog, signIn } from "./api.ts";
import { openStream } from "./open-stream.ts";
import { startInVain, startServer } from "./server-process.ts";
import { mountSmallDisk } from "./small-disk.ts";
import { makeTempFolder } from "./temp-folder.ts";

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

function problem(detail: string): Partial<Answer> {
  return {
    status: 503,
    type: "application/problem+json; charset=utf-8",
    body: {
      type: "/v1/errors/store_unavailable",
      title: "The store is not available",
      status: 503,
      code: "store_unavailable",
      detail,
    },
  };
}

describe("a store that cannot work", () => {
  it("S20: a path to a folder is refused in one line, and the folder stays as it was", async () => {
    const databasePath = join(await makeTempFolder(), "folder");
    await mkdir(databasePath);
    const { exitCode, stdout, stderr } = await startInVain({ storeUrl: `sqlite:${databasePath}` });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^run-events-server: cannot open the store sqlite:\S+: .+\n$/);
    expect(await readdir(databasePath)).toEqual([]);
  });

  it("S20: a file that is not a database is refused in one line, and stays the same byte for byte", async () => {
    const databasePath = join(await makeTempFolder(), "notes.txt");
    const text = "Not a database. ".repeat(1_000);
    await writeFile(databasePath, text);
    const { exitCode, stdout, stderr } = await startInVain({ storeUrl: `sqlite:${databasePath}` });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^run-events-server: cannot open the store sqlite:\S+: .+\n$/);
    expect(await readFile(databasePath, "utf8")).toBe(text);
  });

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
    const refusal = problem("The database is read-only: make the file and its folder writable.");
    expect(await append(frozen.url, "second")).toEqual(refusal);
    expect(await call(frozen.url, "POST", "/v1/agent-runs", { runId: "new" })).toEqual(refusal);
    expect(await call(frozen.url, "POST", `${RUN}/cancel`)).toEqual(refusal);
    await frozen.kill();
    await disk.run("mount", "-o", "remount,rw", disk.folder);

    const { url } = await startServer(options);
    expect(await readLog(url, "kept")).toEqual(log);
    expect(await append(url, "second")).toMatchObject({ status: 201 });
  });

  it("S2, S6: a store on a full disk refuses appends with a problem, keeps acknowledged events, and goes on once the disk has space", async () => {
    const disk = await mountSmallDisk(DISK_BYTES);
    const filling = join(disk.folder, "filling");
    await disk.run("fallocate", "--length", String(DISK_BYTES / 2), filling);
    const options = { storeUrl: `sqlite:${join(disk.folder, "run-events.db")}`, under: disk.under };
    const full = await startServer(options);
    await call(full.url, "POST", "/v1/agent-runs", { runId: "kept" });
    const stream = await openStream(full.url, "kept", await signIn(full.url));

    const acknowledged: string[] = [];
    let answer = await append(full.url, "0");
    for (; answer.status === 201; answer = await append(full.url, String(acknowledged.length)))
      acknowledged.push(String(acknowledged.length));
    expect(acknowledged.length).toBeGreaterThan(2);
    const refusal = problem("The database's disk is full: free some space.");
    const refused = [1, 2, 3].map((index) => `refused-${index}`);
    expect(answer).toEqual(refusal);
    for (const key of refused) expect(await append(full.url, key)).toEqual(refusal);

    async function expectLog(url: string, keys: readonly string[]): Promise<void> {
      const log = await readLog(url, "kept");
      expect(log.map(({ sequence }) => sequence)).toEqual(log.map((_, index) => index + 1));
      expect(log.map(({ payload }) => (payload as { key: string }).key)).toEqual(
        keys.flatMap((key) => Array.from({ length: 16 }, () => key)),
      );
    }

    await expectLog(full.url, acknowledged);
    let streamed = 0;
    while (streamed < acknowledged.length * 16) {
      const { value, done } = await stream.next();
      if (done === true || value.type === "error")
        throw new Error(`It ended: ${JSON.stringify(value)}.`);
      if (value?.type === "run_event") expect(value.event?.sequence).toBe((streamed += 1));
    }
    await full.kill();
    // The files that a crash leaves are opened again while the disk is still full.
    const { url } = await startServer(options);
    await expectLog(url, acknowledged);
    expect(await append(url, "refused-1")).toEqual(refusal);

    await disk.run("rm", filling);
    for (const key of refused) expect(await append(url, key)).toMatchObject({ status: 201 });
    await expectLog(url, [...acknowledged, ...refused]);
  });
});
