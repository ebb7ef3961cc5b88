import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createRunsStore } from "@tm/run-events-client/store";
import { createRunEvents, type RunEvents } from "@tm/run-events-core";
import { createSqliteStore } from "@tm/run-events-sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { ask, askHalf, READY, standOf, textsOf, turn } from "./page-turns.ts";
import { createRunServer, openRunPage, pageOptions, type RunServer } from "./run-page.ts";
import { OWNER } from "./small-chats.ts";

/** A server whose runs are in a file. */
interface BackedUp {
  /** The server that answers now. */
  server: RunServer;
  readonly fetch: typeof fetch;
  backUp(): void;
  /** Ends the server, and starts one on the backup in its place. */
  restore(): Promise<void>;
}

async function openBackedUp(): Promise<BackedUp> {
  const folder = mkdtempSync(join(tmpdir(), "run-events-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  async function openFile(name: string): Promise<RunEvents> {
    const db = new DatabaseSync(join(folder, name));
    const store = createSqliteStore(db);
    await store.migrate();
    const runs = createRunEvents({ store });
    onTestFinished(async () => {
      await runs.close();
      db.close();
    });
    return runs;
  }
  const place: BackedUp = {
    server: createRunServer(await openFile("runs.db"), { leaseMs: 60_000 }),
    fetch: (url, init) => place.server.fetch(url, init),
    backUp() {
      const db = new DatabaseSync(join(folder, "runs.db"));
      db.exec(`VACUUM INTO '${join(folder, "backup.db")}'`);
      db.close();
    },
    async restore() {
      copyFileSync(join(folder, "backup.db"), join(folder, "restored.db"));
      const before = place.server;
      place.server = createRunServer(await openFile("restored.db"));
      before.cut();
    },
  };
  return place;
}

describe("a page whose chat is restored from a backup", () => {
  it("in mid-answer shows the answer as the backup has it, once, and goes on with it", async () => {
    const place = await openBackedUp();
    const page = openRunPage(place, "tea");
    page.watch();
    await askHalf(page, place.server);
    place.backUp();
    place.server.model.say("an answer ", "that is lost.");
    await expect.poll(() => page.chat.text).toBe("Half an answer that is lost.");
    await place.restore();
    await expect.poll(() => textsOf(page)).toEqual(["Why?", "Half "]);
    await expect.poll(() => page.chat.status).toBe("streaming");
    expect(await place.server.chats.stop("tea", OWNER)).toBe(true);
    await expect.poll(() => standOf(page)).toEqual(READY);
    expect(textsOf(page)).toEqual(["Why?", "Half "]);
    await ask(page, place.server, 1);
    expect([...standOf(page), ...textsOf(page)]).toEqual([
      ...READY,
      "Why?",
      "Half ",
      "Why?",
      "So.",
    ]);
  });

  it("without the rest of the last turn shows what there is, although it was idle", async () => {
    const place = await openBackedUp();
    const userId = crypto.randomUUID();
    const page = openRunPage(place, "tea", [], { userId });
    page.watch();
    // The page shares its feed.
    const listed = createRunsStore({ ...pageOptions(place), userId });
    onTestFinished(listed.subscribe(() => {}));
    await turn(place.server, "a");
    const { sent } = await askHalf(page, place.server);
    place.backUp();
    place.server.model.say("an answer");
    place.server.model.finish();
    await sent;
    await expect.poll(() => textsOf(page)).toEqual(["a", "to a", "Why?", "Half an answer"]);
    const statuses = (): unknown => listed.getSnapshot().runs.map(({ runStatus }) => runStatus);
    await expect.poll(statuses).toEqual(["completed", "completed"]);
    await place.restore();
    await expect.poll(() => textsOf(page)).toEqual(["a", "to a", "Why?", "Half "]);
    expect(await place.server.chats.stop("tea", OWNER)).toBe(true);
    await expect.poll(() => standOf(page)).toEqual(READY);
  });

  it("and that has no watch gets the error as the end of the turn, and the next question works", async () => {
    const place = await openBackedUp();
    const page = openRunPage(place, "tea");
    place.backUp();
    const { sent } = await askHalf(page, place.server);
    await place.restore();
    await sent;
    expect(standOf(page)).toMatchObject(["error", { code: "not_found" }]);
    await ask(page, place.server, 1);
    expect(standOf(page)).toEqual(READY);
  });
});
