import { expect, it, onTestFinished, vi } from "vitest";
import { shareRun } from "../../src/tabs/shared-run.ts";
import {
  connected,
  event,
  finished,
  json,
  page,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";
import type { Message } from "../../src/tabs/tab-messages.ts";
import { COOKIE, isInOrder, openManyRunsTab, openTab, range, shows } from "./open-tab.ts";

/** The messages between tabs. */
interface Spoken {
  readonly asks: unknown[];
  readonly lengths: number[];
}

/** Records the messages on channels until the test's end. */
function overhear(): Spoken {
  const spoken: Spoken = { asks: [], lengths: [] };
  class Overheard extends BroadcastChannel {
    override postMessage(message: Message): void {
      if (message.type === "want" && message.runs.size > 0) spoken.asks.push(message);
      else if (message.type === "run") spoken.lengths.push(JSON.stringify(message).length);
      super.postMessage(message);
    }
  }
  vi.stubGlobal("BroadcastChannel", Overheard);
  onTestFinished(() => void vi.unstubAllGlobals());
  return spoken;
}

it("a replay reaches other tabs in batches, in order, and is shown there once a frame", async () => {
  const { lengths } = overhear();
  const held = Promise.withResolvers<void>();
  const { baseUrl } = await startScriptedServer((response) => {
    stream(response, connected());
    void held.promise.then(() => {
      response.end(range(1, 5_000).map(event).join("") + finished(5_000));
    });
  });
  const tabs = [1, 2].map(() => openTab({ ...COOKIE, baseUrl, runId: "replayed" }));
  await Promise.all(tabs.map(async (tab) => shows(tab, 0, "live")));
  held.resolve();
  await Promise.all(tabs.map(async (tab) => shows(tab, 5_000, "finished")));
  expect(lengths.length).toBeLessThan(200);
  for (const { views } of tabs) {
    expect(views.every(isInOrder)).toBe(true);
    expect(views.length).toBeLessThan(200);
  }
});

it("a message of large events is bounded", async () => {
  const { lengths } = overhear();
  const payload = "x".repeat(100_000);
  const large = (sequence: number): string =>
    event(sequence).replace('"payload":', `"payload":"${payload}","more":`);
  const { baseUrl } = await startScriptedServer((response) => {
    stream(response, connected(), ...range(1, 60).map(large), finished(60));
  });
  const tabs = [1, 2].map(() => openTab({ ...COOKIE, baseUrl, runId: "large" }));
  for (const tab of tabs) await shows(tab, 60, "finished");
  expect(lengths.length).toBeGreaterThan(20);
  expect(Math.max(...lengths)).toBeLessThan(400_000);
});

it("a tab that comes late has the run's end only with all of its events, and asks once", async () => {
  const { asks } = overhear();
  let response: Parameters<typeof stream>[0] | undefined;
  const { baseUrl } = await startScriptedServer(
    (answer) => (response = stream(answer, connected())),
  );
  const options = { ...COOKIE, baseUrl, runId: "late" };
  const first = openTab(options);
  await shows(first, 0, "live");
  response?.write(range(1, 4_000).map(event).join(""));
  await shows(first, 4_000, "live");
  const late = openTab(options);
  for (const sequence of range(4_001, 4_200)) {
    response?.write(event(sequence));
    await new Promise(setImmediate);
  }
  response?.end(finished(4_200));
  await Promise.all([first, late].map(async (tab) => shows(tab, 4_200, "finished")));
  for (const { events, state } of [...first.views, ...late.views]) {
    if (state === "finished") expect(events).toHaveLength(4_200);
  }
  expect(asks).toHaveLength(1);
});

it("each tab has its own connection where the host refuses locks", async () => {
  const request = async (): Promise<never> => {
    throw new DOMException("The origin is opaque.", "SecurityError");
  };
  vi.stubGlobal("navigator", { locks: { request } });
  onTestFinished(() => void vi.unstubAllGlobals());
  const { baseUrl } = await startScriptedServer((response) =>
    stream(response, connected(), event(1), finished(1)),
  );
  const tab = openTab({ ...COOKIE, baseUrl, runId: "refused" });
  await tab.following;
  await shows(tab, 1, "finished");
});

it("an AbortError of the credential's function ends following, and does not count as a lost lock", async () => {
  let calls = 0;
  const cookie = (): never => {
    calls += 1;
    throw new DOMException("Took too long.", "AbortError");
  };
  const tab = openTab({
    credential: { cookie },
    userId: "ada",
    baseUrl: "http://127.0.0.1:1",
    runId: "a",
  });
  await tab.following;
  await shows(tab, 0, "failed");
  expect(tab.cell.connection().error?.message).toContain("Took too long.");
  expect(calls).toBe(1);
});

it("a tab that opens at the very end shows all events and the end", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) =>
    stream(response, connected(), range(1, 4_000).map(event).join(""), finished(4_000)),
  );
  const options = { ...COOKIE, baseUrl, runId: "ended" };
  await shows(openTab(options), 4_000, "finished");
  const late = openTab(options);
  await shows(late, 4_000, "finished");
  for (const { events, state } of late.views) {
    if (state === "finished") expect(events).toHaveLength(4_000);
  }
  expect(requests).toHaveLength(1);
});

it("tabs of different users have separate connections", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) =>
    stream(response, connected(), event(1)),
  );
  for (const userId of ["ada", "bob"]) {
    await shows(openTab({ ...COOKIE, userId, baseUrl, runId: "private" }), 1, "live");
  }
  expect(requests).toHaveLength(2);
});

it("tabs with tokens share nothing unless they have a userId", async () => {
  const { baseUrl } = await startScriptedServer((response, _, { headers, url }) => {
    if (headers.authorization !== "Bearer ada") json(response, 404, { code: "not_found" });
    else if (url?.includes("since=0") === true) page(response, [1]);
  });
  const options = { baseUrl, runId: "private" };
  await shows(openTab({ ...options, credential: { bearer: "ada" } }), 1, "polling");
  await shows(openTab({ ...options, credential: { bearer: "bob" } }), 0, "failed");
});

it("a page shares a run only for the same user, and drops a run that has failed", async () => {
  const { baseUrl, requests } = await startScriptedServer((response) =>
    json(response, 401, { code: "unauthenticated" }),
  );
  const options = { ...COOKIE, baseUrl, runId: "dropped" };
  const run = shareRun(options);
  const leave = run.join(() => {});
  const cell = run.follow({ since: 0, at: undefined });
  expect(shareRun({ ...options, credential: { cookie: "a=b" } })).toBe(run);
  expect(shareRun({ ...options, userId: "bob" })).not.toBe(run);
  expect(shareRun({ ...options, credential: { cookie: "b=c" } })).not.toBe(run);
  await vi.waitFor(() => expect(cell.connection().state).toBe("failed"));
  // A later view asks again, even if an earlier one is still there: the user may have signed in meanwhile.
  expect(shareRun(options)).not.toBe(run);
  leave();
  const again = shareRun(options);
  expect(again).not.toBe(run);
  expect(again.cell).toBeNull();
  expect(requests).toHaveLength(1);
});

it("a tab that has lost its lock gets messages from the next tab, and both have every event once", async () => {
  const responses: Parameters<typeof stream>[0][] = [];
  const { baseUrl } = await startScriptedServer((response, _, { url }) => {
    const since = Number(new URL(url ?? "", "http://a").searchParams.get("since"));
    responses.push(stream(response, connected(), ...range(since + 1, 3).map(event)));
  });
  const options = { ...COOKIE, baseUrl, runId: "stolen" };
  const first = openTab(options);
  await shows(first, 3, "live");
  const second = openTab(options);
  await shows(second, 3, "live");
  const { held } = await navigator.locks.query();
  const name = held?.find((lock) => lock.name?.includes(baseUrl) === true)?.name ?? "";
  await navigator.locks.request(name, { steal: true }, () => {});
  await vi.waitFor(() => expect(responses).toHaveLength(2));
  responses[1]?.end(event(4) + finished(4));
  await Promise.all([first, second].map(async (tab) => shows(tab, 4, "finished")));
  expect([...first.views, ...second.views].every(isInOrder)).toBe(true);
});

it("a tab that shows another run asks for it at once, even if a message comes between", async () => {
  const channels: BroadcastChannel[] = [];
  const heard: MessageEvent[] = [];
  const wanted: string[] = [];
  class Overheard extends BroadcastChannel {
    constructor(name: string) {
      super(name);
      channels.push(this);
      this.addEventListener("message", (message) => {
        if ((message.data as Message).type === "run") heard.push(message);
      });
    }
    override postMessage(message: Message): void {
      if (message.type === "want") wanted.push(...message.runs.keys());
      super.postMessage(message);
    }
  }
  vi.stubGlobal("BroadcastChannel", Overheard);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { baseUrl } = await startScriptedServer((response) => void stream(response, connected()));
  const [leader, other] = [1, 2].map(() => openManyRunsTab({ ...COOKIE, baseUrl }));
  const first = leader?.follow("between");
  if (first !== undefined) await shows(first, 0, "live");
  const second = other?.follow("between");
  if (second !== undefined) await shows(second, 0, "live");
  other?.follow("another");
  const [message] = heard;
  if (message !== undefined) channels[1]?.onmessage?.(message);
  expect(heard.length).toBeGreaterThan(0);
  // Without a message it asks again in 15 s.
  await vi.waitFor(() => expect(wanted).toContain("another"), { timeout: 10_000 });
});
