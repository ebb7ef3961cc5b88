import fc from "fast-check";
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

it("W29: a session that is read from its value is exactly the one that was opened, at any millisecond", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const sessions = await openSessions();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: Date.UTC(2000), max: Date.UTC(2200) }), async (now) => {
      vi.setSystemTime(now);
      const { value, session } = await sessions.open(ADA);
      expect(await sessions.verify(value)).toEqual(session);
    }),
    // Without rounding, one millisecond in forty would be a fraction off.
    { numRuns: 500 },
  );
});

it("W29: a user who ends more than 1,000 sessions ends those that are older, and no other user's", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const sessions = await openSessions();
  const [older, bobs] = [await sessions.open(ADA), await sessions.open({ ...ADA, userId: "bob" })];
  vi.setSystemTime(Date.now() + 1);
  const ended: string[] = [];
  async function openAndEnd(): Promise<void> {
    const { value } = await sessions.open(ADA);
    ended.push(value);
    // As in a request, the session is read from the cookie.
    const session = await sessions.verify(value);
    if (session !== null) sessions.end(session);
  }
  for (let at = 0; at < 1_000; at++) await openAndEnd();
  expect(await sessions.verify(older.value)).toMatchObject({ userId: "ada" });
  await openAndEnd();
  expect(await sessions.verify(older.value)).toBeNull();
  for (const value of ended) expect(await sessions.verify(value)).toBeNull();
  expect(await sessions.verify(bobs.value)).toMatchObject({ userId: "bob" });
  vi.setSystemTime(Date.now() + 1);
  const { value } = await sessions.open(ADA);
  expect(await sessions.verify(value)).toMatchObject({ userId: "ada" });
});
