import { afterEach, expect, it, vi } from "vitest";
import { createSessions, type Sessions } from "../src/session.ts";

const TTL_MS = 60_000;
const users = new Set<string>();

async function openSessions(secret = "secret"): Promise<Sessions> {
  users.add("ada");
  return createSessions({ secret, ttlMs: TTL_MS, hasUser: (userId) => users.has(userId) });
}

afterEach(() => {
  vi.useRealTimers();
});

it("W29: a value that was verified before is refused all the same once its session has expired", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const sessions = await openSessions();
  const { value } = await sessions.open("ada");
  expect([await sessions.verify(value), await sessions.verify(value)]).toMatchObject([
    { userId: "ada" },
    { userId: "ada" },
  ]);
  vi.setSystemTime(Date.now() + TTL_MS);
  expect(await sessions.verify(value)).toBeNull();
});

it("W26, W29: a value that was verified before is refused once its session was ended, or its user is gone", async () => {
  const sessions = await openSessions();
  const [first, second] = [await sessions.open("ada"), await sessions.open("ada")];
  for (const { value } of [first, second]) {
    expect(await sessions.verify(value)).toMatchObject({ userId: "ada" });
  }
  sessions.end(first.session);
  expect(await sessions.verify(first.value)).toBeNull();
  expect(await sessions.verify(second.value)).toMatchObject({ userId: "ada" });
  users.delete("ada");
  expect(await sessions.verify(second.value)).toBeNull();
});

it("W29: a value with another signature is refused, before and after the true one was verified", async () => {
  const [sessions, others] = [await openSessions(), await openSessions("another secret")];
  const { value } = await sessions.open("ada");
  const { value: foreign } = await others.open("ada");
  const [head, body] = value.split(".");
  const forged = [head, body, foreign.split(".")[2]].join(".");
  expect(await sessions.verify(forged)).toBeNull();
  expect(await sessions.verify(value)).toMatchObject({ userId: "ada" });
  expect(await sessions.verify(forged)).toBeNull();
  expect(await others.verify(value)).toBeNull();
});
