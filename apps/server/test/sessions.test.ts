import { afterEach, expect, it, vi } from "vitest";
import { createSessions, type Sessions } from "../src/session.ts";

const TTL_MS = 60_000;
const ADA = { userId: "ada", tokenMark: "a-mark" };
const current = new Set<string>();

async function openSessions(secret = "secret"): Promise<Sessions> {
  current.add(ADA.tokenMark);
  return createSessions({
    secret,
    ttlMs: TTL_MS,
    isCurrent: ({ tokenMark }) => current.has(tokenMark),
  });
}

afterEach(() => {
  vi.useRealTimers();
});

it("W29: a value that was verified before is refused once its session has expired", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const sessions = await openSessions();
  const { value } = await sessions.open(ADA);
  expect([await sessions.verify(value), await sessions.verify(value)]).toMatchObject([
    { userId: "ada" },
    { userId: "ada" },
  ]);
  vi.setSystemTime(Date.now() + TTL_MS);
  expect(await sessions.verify(value)).toBeNull();
});

it("W26, W29: a value that was verified before is refused once its session was ended, or its token is gone", async () => {
  const sessions = await openSessions();
  const [first, second] = [await sessions.open(ADA), await sessions.open(ADA)];
  for (const { value } of [first, second]) {
    expect(await sessions.verify(value)).toMatchObject({ userId: "ada" });
  }
  sessions.end(first.session);
  expect(await sessions.verify(first.value)).toBeNull();
  expect(await sessions.verify(second.value)).toMatchObject({ userId: "ada" });
  current.delete(ADA.tokenMark);
  expect(await sessions.verify(second.value)).toBeNull();
});

it("W29: a value with another signature is refused, before and after the true one was verified", async () => {
  const [sessions, others] = [await openSessions(), await openSessions("another secret")];
  const { value } = await sessions.open(ADA);
  const { value: foreign } = await others.open(ADA);
  const [head, body] = value.split(".");
  const forged = [head, body, foreign.split(".")[2]].join(".");
  expect(await sessions.verify(forged)).toBeNull();
  expect(await sessions.verify(value)).toMatchObject({ userId: "ada" });
  expect(await sessions.verify(forged)).toBeNull();
  expect(await others.verify(value)).toBeNull();
});
