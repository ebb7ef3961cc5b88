import { appendOf, createOf } from "@tm/run-events-test-servers/requests";
import type { Redis } from "ioredis";
import { expect, it, onTestFinished, vi } from "vitest";
import type { StoreDiagnostic } from "../../core/src/rules/diagnostic.ts";
import { MARKS } from "../src/scripts/list.ts";
import { connect, openServer, openStore } from "./opened.ts";
import { openRedisStore } from "./ruled-store.ts";

/** A client whose polls wait until the test lets them pass. All else is sent at once. */
function holdPolls(redis: Redis) {
  const held: (() => void)[] = [];
  let answered = Promise.withResolvers<void>();
  const client = Object.assign(Object.create(redis) as Redis, {
    async evalsha(sha1: string, count: number, values: string[]) {
      if (sha1 !== MARKS.sha1) return redis.evalsha(sha1, count, values);
      await new Promise<void>((resolve) => held.push(resolve));
      // After the caller has what this returns.
      return redis.evalsha(sha1, count, values).finally(() => setImmediate(answered.resolve));
    },
  });
  return {
    client,
    /** Lets the next poll pass, and waits until the store has its answer. */
    async pass() {
      await vi.waitFor(() => expect(held).toHaveLength(1), 5_000);
      answered = Promise.withResolvers();
      held.shift()?.();
      await answered.promise;
    },
  };
}

it("S13: a commit that came while a channel was not subscribed does not count as missed by the poll after it", async () => {
  const server = await openServer();
  const admin = connect(server);
  await admin.acl("SETUSER", "reader", "on", ">secret", "~*", "&*", "+@all");
  const { store: other } = await openStore(server);
  await other.createRun(createOf("a"));
  const polls = holdPolls(connect(server, { username: "reader", password: "secret" }));
  const store = await openRedisStore(polls.client);
  onTestFinished(() => store.close());
  const reports: StoreDiagnostic["type"][] = [];
  store.observe?.(({ type }) => void reports.push(type));
  const onNotification = vi.fn();
  // No poll has been answered, so the channel is subscribed.
  await store.subscribe("a", onNotification).ready;
  // The second one began while the channel was subscribed, and so did the third, which waits.
  await polls.pass();
  await polls.pass();
  // The server closes the connection of a user who may read its channel no more.
  await admin.acl("SETUSER", "reader", "resetchannels");
  await other.append([appendOf("a", 1)]);
  onNotification.mockClear();
  await admin.acl("SETUSER", "reader", "allchannels");
  // Subscribed again: no poll has found the commit.
  await vi.waitFor(() => expect(onNotification).toHaveBeenCalled(), 5_000);
  await polls.pass();
  expect(reports).toEqual(["notifications_up", "notifications_down", "notifications_up"]);
  // A change without a message counts as missed.
  await admin.acl("SETUSER", "default", "resetchannels");
  await other.append([appendOf("a", 2)]);
  await polls.pass();
  expect(reports.at(-1)).toBe("notification_missed");
});
