import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { createCredentials } from "../src/authenticate.ts";
import { createSessions, type Sessions } from "../src/session.ts";
import { createTokens } from "../src/tokens.ts";

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

/** A cookie that the server made before its first release, from a made-up secret and token. It expires in the year 2200. */
const KEPT =
  "run_events_session=eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbiI6IjRHUExYdFUxX19pTmhRT19mYlJ1NGciLCJzdWIiOiJhZGEiLCJqdGkiOiI1OWUzZDBiZS1kZDdlLTRiMjAtYmU1NC04ZTUwMmNmYWM1YmQiLCJleHAiOjcyNTgxMTg0MDAuMTIzfQ.W5S96CjNPeQ6_qAC4k1Zk0Vi9s4NCr12HJEYP7ilLMI";

it("W29: a cookie that an older server made still signs in", async () => {
  const secret = "a secret that is made up, for a kept cookie";
  const tokens = createTokens([{ userId: "ada", token: "a-made-up-token" }], secret);
  const sessions = await createSessions({
    secret,
    ttlMs: TTL_MS,
    isCurrent: (holder) => tokens.isCurrent(holder),
  });
  const request = new IncomingMessage(new Socket());
  request.headers.cookie = KEPT;
  const credentials = createCredentials(tokens, sessions);
  expect(await credentials.authenticate(request, "session")).toEqual({
    userId: "ada",
    credential: "session",
  });
  expect(await credentials.session(request)).toMatchObject({
    expiresAtMs: Date.UTC(2200, 0, 1) + 123,
  });
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
