import { expect, it, onTestFinished, vi } from "vitest";
import { connectionFor } from "../../src/page/page-connection.ts";
import { FollowedRun } from "../../src/follow/followed-run.ts";
import { shareRun } from "../../src/page/shared-run.ts";
import { json, page, startScriptedServer } from "../scripted-server.ts";
import { COOKIE, openWindow, shows } from "./open-window.ts";

it("a page shares a run only for the same user, and drops a run that has failed", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) =>
    json(response, 401, { code: "unauthenticated" }),
  );
  const options = { ...COOKIE, baseUrl, runId: "dropped" };
  const run = shareRun(options);
  const leave = run.join(() => {});
  run.follow({ since: 0, at: undefined });
  expect(shareRun({ ...options, credential: { cookie: "a=b" } })).toBe(run);
  expect(shareRun({ ...options, userId: "bob" })).not.toBe(run);
  expect(shareRun({ ...options, credential: { cookie: "b=c" } })).not.toBe(run);
  await expect.poll(() => run.connection.state).toBe("failed");
  // A later view asks again, even if an earlier one is still there: the user may have signed in meanwhile.
  expect(shareRun(options)).not.toBe(run);
  leave();
  const again = shareRun(options);
  expect(again).not.toBe(run);
  expect(requests).toHaveLength(1);
});

it("runs of a page share a connection for a server and a user; with tokens only if there is a `userId`", () => {
  const { signal, abort } = abortable();
  const baseUrl = "http://127.0.0.1:1";
  const open = (options: object): unknown => {
    const connection = connectionFor({ baseUrl, ...options });
    connection.follow(runOf(crypto.randomUUID()), signal);
    return connection;
  };
  const token = { credential: { bearer: "t" } };
  const same = [{}, { userId: "ada" }, { userId: "ada", ...token }, { basePath: "/runs" }];
  for (const one of same) expect(open(one)).toBe(open(one));
  expect(new Set(same.map(open)).size).toBe(same.length);
  expect(open(token)).not.toBe(open(token));
  abort();
});

it("a connection shows why it cannot begin, and why its credential fails, and asks once", async () => {
  let calls = 0;
  const cookie = (): never => {
    calls += 1;
    throw new DOMException("Took too long.", "AbortError");
  };
  const own = { userId: "ada", baseUrl: "http://127.0.0.1:1" };
  const cases = [
    [{ ...own, credential: { cookie } }, "Took too long."],
    [{ ...own, credential: { bearer: "" } }, "Is the token missing?"],
  ] as const;
  for (const [options, message] of cases) {
    const run = openWindow(options).follow("a");
    await run.over;
    await shows(run, 0, "failed");
    expect(run.shared.connection.error?.message).toContain(message);
  }
  expect(calls).toBe(1);
});

it("nothing listens to the page any more when the last run is left", async () => {
  const listening: AbortSignal[] = [];
  vi.stubGlobal("addEventListener", (_: string, __: unknown, how: { signal: AbortSignal }) =>
    listening.push(how.signal),
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  const { signal, abort } = abortable();
  const connection = connectionFor({ userId: "ada", baseUrl: "http://127.0.0.1:1" });
  for (const runId of ["a", "b"]) connection.follow(runOf(runId), signal);
  expect(listening.filter(({ aborted }) => !aborted).length).toBeGreaterThan(3);
  abort();
  expect(listening.filter(({ aborted }) => !aborted)).toEqual([]);
});

it("users with tokens see only their own runs, without a `userId` too", async () => {
  const { baseUrl } = await startScriptedServer((response, _, { headers, url }) => {
    if (headers.authorization !== "Bearer ada") json(response, 404, { code: "not_found" });
    else if (url?.includes("since=0") === true) page(response, [1]);
  });
  const ada = shareRun({ baseUrl, runId: "own", credential: { bearer: "ada" } });
  const bob = shareRun({ baseUrl, runId: "own", credential: { bearer: "bob" } });
  const leave = [ada, bob].map((run) => run.join(() => {}));
  for (const run of [ada, bob]) run.follow({ since: 0, at: undefined });
  await expect.poll(() => ada.connection.state).toBe("polling");
  await expect.poll(() => bob.connection.error?.code).toBe("not_found");
  expect([ada.cursor, bob.cursor]).toEqual([1, 0]);
  for (const one of leave) one();
});

function runOf(runId: string): FollowedRun {
  return new FollowedRun(runId, {}, { onEvents() {}, onState() {} });
}

function abortable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
