import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { followRun, type ConnectionState } from "@tm/run-events-client";
import { describe, expect, it } from "vitest";
import { collect } from "../collect.ts";
import { onFastClock } from "../on-fast-clock.ts";
import {
  connected,
  event,
  finished,
  frame,
  page,
  startScriptedServer,
  stream,
} from "../scripted-server.ts";

const ADA = [{ cookie: "session=ada" }, { bearer: "ada" }] as const;

type Answer = readonly [status: number, type: string, body: string];

/** Answers of proxies, gateways and other programs in the server's place. `answers.test.ts` has more of them. */
const STRANGE: readonly Answer[] = [
  [200, "text/html", "<div id=root></div>"],
  [200, "application/json", '{"status":"ok"}'],
  [404, "application/problem+json", '{"title":"Not Found","status":404}'],
  [502, "text/html", "<h1>bad gateway</h1>"],
];

function give(response: ServerResponse, [status, type, body]: Answer): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(body);
}

/** Answers as the server does, with the events after the cursor. */
function answer(response: ServerResponse, url: string, last: number): void {
  const since = Number(/since=(\d+)/.exec(url)?.[1]);
  const sequences = Array.from({ length: last - since }, (_, index) => since + index + 1);
  if (!url.includes("/stream")) return page(response, sequences, "completed");
  stream(response, connected(), ...sequences.map(event), finished(last));
}

describe.each(ADA)("W3: an answer that is not the server's own, %j", (credential) => {
  it.each(STRANGE)(
    "W3: a follower survives a strange answer and names it: %i %s %s",
    async (...strange) => {
      const errors: ConnectionState["error"][] = [];
      const { baseUrl } = await startScriptedServer((response, index, { url = "" }) => {
        if (index === 1 && "cookie" in credential) stream(response, connected(), event(1)).end();
        else if (index < 4) give(response, strange);
        else answer(response, url, 3);
      });
      const follower = followRun({
        baseUrl,
        runId: "a",
        credential,
        onConnectionState: ({ state, error }) => state === "paused" && errors.push(error),
      });
      expect(await onFastClock(() => collect(follower))).toEqual([1, 2, 3]);
      const [status, type] = strange;
      const what = "cookie" in credential ? "stream" : "events";
      const members =
        status === 200 && what === "events" ? " (lastSequence,runStatus,currentPhase,events)" : "";
      const hint = status < 500 ? "is the path passed on to the server" : "is the server up";
      expect(errors[0]).toMatchObject({
        code: "store_unavailable",
        retryable: true,
        message: `GET /v1/agent-runs/a/${what} answered ${status} ${type}, not as a run-events server does${members}: ${hint}?`,
      });
    },
  );
});

it("W3: a strange answer without a type is named too", async () => {
  const { baseUrl } = await startScriptedServer((response) => void response.writeHead(404).end());
  const errors: unknown[] = [];
  const leaving = new AbortController();
  const follower = followRun({
    baseUrl,
    runId: "a",
    signal: leaving.signal,
    onConnectionState({ error }) {
      if (error === null) return;
      errors.push(error.message);
      leaving.abort(new Error("enough"));
    },
  });
  await expect(collect(follower)).rejects.toThrow("enough");
  expect(errors[0]).toContain("answered 404 without a type");
});

/** Frames that something on the way has changed. */
const MALFORMED: readonly string[] = [
  "data: {\n\n",
  "data: <p>Back soon.</p>\n\n",
  ...[
    null,
    7,
    [],
    {},
    { type: 7 },
    { type: "run_event" },
    { type: "run_event", event: null },
    { type: "run_event", event: {} },
    { type: "run_event", event: { sequence: "2", eventType: "TOKEN" } },
    { type: "connected" },
    { type: "status", runStatus: "running" },
    { type: "run_finished", runStatus: "completed" },
    { type: "run_finished", runStatus: "completed", lastSequence: null },
    { type: "run_finished", runStatus: "running", lastSequence: 1 },
    { type: "run_finished", runStatus: "ended", lastSequence: 1 },
    { type: "run_finished", runStatus: "completed", lastSequence: -1 },
    { type: "run_finished", runStatus: "completed", lastSequence: 1.5 },
    { type: "status", runStatus: "completed", lastSequence: 1 },
    { type: "status", runStatus: "running", lastSequence: 1, currentPhase: {} },
    { type: "connected", runStatus: "failed", lastSequence: 1 },
    { type: "run_event", event: { sequence: 1.5, eventType: "TOKEN" } },
    { type: "run_event", event: { sequence: 0, eventType: "TOKEN" } },
    { type: "error" },
    { type: "error", code: "not_found", retryable: "false" },
    { type: "error", code: "not_found", message: {}, retryable: false },
    { type: "error", code: "cursor_ahead", message: "No.", retryable: false, lastSequence: "1" },
  ].map((message) => frame(message)),
];

describe("W22: a frame that no run-events server sends", () => {
  it.each(MALFORMED)(
    "W22: a follower hands over the events before a malformed frame, and polls the rest: %j",
    async (malformed) => {
      const errors: ConnectionState["error"][] = [];
      const { baseUrl, requests } = await startScriptedServer((response, index, { url = "" }) => {
        // In one write, and the event before it must not be lost.
        if (index === 0) stream(response, connected() + event(1) + malformed);
        else answer(response, url, 3);
      });
      const follower = followRun({
        baseUrl,
        runId: "a",
        credential: { cookie: "session=ada" },
        onConnectionState: ({ state, error }) => state === "paused" && errors.push(error),
      });
      expect(await onFastClock(() => collect(follower))).toEqual([1, 2, 3]);
      expect(errors).toMatchObject([
        {
          code: "store_unavailable",
          retryable: true,
          message:
            "Expected frames of a run-events server, got something else: check whether a proxy changes them.",
        },
      ]);
      expect(requests.slice(0, 2)).toEqual(["a/stream?since=0", "a/events?since=1&wait=25"]);
    },
  );

  it("W22: a frame of an unknown type is not malformed, and changes no status, no matter what its members mean", async () => {
    const types = ["toString", "constructor", "__proto__", "later"];
    const { baseUrl, requests } = await startScriptedServer((response) => {
      const later = ["completed", {}, null].flatMap((runStatus) =>
        types.map((type) => frame({ type, runStatus, currentPhase: {}, lastSequence: 2 })),
      );
      stream(response, connected(), event(1), ...later, event(2), finished(2));
    });
    const follower = followRun({ baseUrl, runId: "a", credential: { cookie: "session=ada" } });
    const statuses: unknown[] = [];
    for await (const { sequence } of follower) statuses.push([sequence, follower.runStatus]);
    expect(statuses).toEqual([
      [1, "running"],
      [2, "running"],
    ]);
    expect(requests).toHaveLength(1);
  });

  it("W22: a frame may have members of any name, even one that all objects inherit", async () => {
    const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
    const members = names.map((name) => `,"${name}":{"sequence":7}`).join("");
    const widened = [connected(), event(1), finished(1)].map((text) =>
      text.replace("}\n\n", `${members}}\n\n`),
    );
    const { baseUrl } = await startScriptedServer((response) => {
      stream(response, ...widened);
    });
    const follower = followRun({ baseUrl, runId: "a", credential: { cookie: "session=ada" } });
    expect(await collect(follower)).toEqual([1]);
  });
});

/** An address whose port refuses connections. */
async function closedOrigin(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}

describe("a server that does not answer", () => {
  /** The first error with which a follower waits. */
  async function firstError(baseUrl: string): Promise<ConnectionState["error"]> {
    const leaving = new AbortController();
    const known = Promise.withResolvers<ConnectionState["error"]>();
    const following = collect(
      followRun({
        baseUrl,
        runId: "a",
        credential: { bearer: "secret" },
        signal: leaving.signal,
        onConnectionState: ({ error }) => error !== null && known.resolve(error),
      }),
    );
    const error = await known.promise;
    leaving.abort(new Error("enough"));
    await expect(following).rejects.toThrow("enough");
    return error;
  }

  it("the error of a refused port has the code of the failure", async () => {
    const origin = await closedOrigin();
    expect(await firstError(`${origin}/prefix/`)).toMatchObject({
      code: "store_unavailable",
      message: `No server answers at ${origin}: ECONNREFUSED.`,
    });
  });

  it("the error of an unknown host name has the code of the failure", async () => {
    expect((await firstError("http://unknown.invalid"))?.message).toMatch(
      /^No server answers at http:\/\/unknown\.invalid: (ENOTFOUND|EAI_AGAIN)\.$/,
    );
  });

  it("the error of a lost stream shows whether it ended or broke off", async () => {
    const messages: unknown[] = [];
    const { baseUrl } = await startScriptedServer((response, index) => {
      if (index === 0) stream(response, connected()).end();
      else if (index === 1) stream(response, connected()).flushHeaders();
      else stream(response, connected(), finished(0));
      if (index === 1) setImmediate(() => response.destroy());
    });
    const onConnectionState = ({ state, error }: ConnectionState): void => {
      if (state === "paused") messages.push(error?.message);
    };
    const credential = { cookie: "a=b" };
    await onFastClock(() =>
      collect(followRun({ baseUrl, runId: "a", credential, onConnectionState })),
    );
    expect(messages).toEqual(["The stream ended before the run did.", "The answer broke off."]);
  });
});
