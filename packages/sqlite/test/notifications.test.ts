import { expectEachNotifies } from "@tm/run-events-test-servers/expectations";
import { describe, expect, it, vi } from "vitest";
import { createRuledStore } from "./ruled-store.ts";
import { countPolls } from "./counted-polls.ts";
import { DRIVERS } from "./drivers.ts";
import { startPeer } from "./peers.ts";
import { appendOf, createOf, endOf } from "@tm/run-events-test-servers/requests";
import { openHandle, openStore, temporaryFile } from "./stores.ts";

describe.each(DRIVERS)("notifications on $name", (driver) => {
  it("S13: every commit of another store notifies a lasting subscription, even creation and deletion", async () => {
    const file = temporaryFile();
    const { store } = await openStore(driver, file);
    const { store: other } = await openStore(driver, file);
    await expectEachNotifies(store.inner, other.inner);
  });

  it("S13: a store's own commits notify without a poll", async () => {
    // Nothing polls a database in memory.
    const { store } = await openStore(driver, ":memory:");
    const onNotification = vi.fn();
    store.subscribe("a", onNotification);
    await store.createRun(createOf("a"));
    await expect.poll(() => onNotification.mock.calls.length).toBe(1);
    await store.append([appendOf("a", 1), appendOf("a", 2)]);
    await expect.poll(() => onNotification.mock.calls.length).toBe(2);
    await store.append([endOf("a")]);
    await expect.poll(() => onNotification.mock.calls.length).toBe(3);
    await store.deleteRun("a");
    await expect.poll(() => onNotification.mock.calls.length).toBe(4);
  });

  it("S13: a later poll finds what a failed one missed", async () => {
    const file = temporaryFile();
    const { db: otherDb, store: other } = await openStore(driver, file);
    const { handle, polls } = countPolls(openHandle(driver, file));
    const store = createRuledStore(handle);
    await other.createRun(createOf("a"));
    const onNotification = vi.fn();
    await store.subscribe("a", onNotification).ready;
    // Without its table, a poll after a commit fails.
    otherDb.exec("ALTER TABLE run_events_runs RENAME TO run_events_away");
    const missing = polls();
    await expect.poll(() => polls()).toBeGreaterThan(missing + 2);
    expect(onNotification).not.toHaveBeenCalled();
    otherDb.exec("ALTER TABLE run_events_away RENAME TO run_events_runs");
    await expect.poll(() => onNotification.mock.calls.length).toBe(1);
    await other.append([appendOf("a")]);
    await expect.poll(() => onNotification.mock.calls.length).toBe(2);
    await store.close();
  });

  it("S13: a subscription alone does not keep a process alive", async () => {
    const file = temporaryFile();
    await openStore(driver, file);
    const peer = await startPeer(driver, file);
    await peer.call("subscribe", { runId: "a" });
    await peer.call("disconnect");
    expect(await peer.exited).toBe(0);
  });

  it.each(["stop", "close"] as const)(
    "S13, S18: after `%s` the store does not poll",
    async (end) => {
      const file = temporaryFile();
      await openStore(driver, file);
      const ended = countPolls(openHandle(driver, file));
      const going = countPolls(openHandle(driver, file));
      const store = createRuledStore(ended.handle);
      const clock = createRuledStore(going.handle);
      const subscription = store.subscribe("a", () => {});
      await subscription.ready;
      const ticks = clock.subscribe("a", () => {});
      await ticks.ready;
      await expect.poll(() => ended.polls()).toBeGreaterThan(3);
      if (end === "stop") subscription.stop();
      else await store.close();
      const before = ended.polls();
      const later = going.polls() + 5;
      await expect.poll(() => going.polls()).toBeGreaterThan(later);
      expect(ended.polls()).toBe(before);
      ticks.stop();
      await store.close();
      await clock.close();
    },
  );
});
