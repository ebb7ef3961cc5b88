import type { RunEventsError } from "@tm/run-events-core";
import { type Client, createClient } from "@tm/run-events-client/runs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorOf } from "../src/http/server-errors.ts";

const PATH = "/v1/agent-runs/a";
const PROBLEM = "application/problem+json; charset=utf-8";

function errorFor(status: number, type: string, text: string): unknown {
  const headers: Record<string, string> = type === "" ? {} : { "content-type": type };
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // A page, or a text that was cut off.
  }
  return errorOf({ path: PATH }, new Response(null, { status, headers }), json);
}

describe("W3: an answer that is not a success", () => {
  it.each([
    [401, "unauthenticated", false],
    [404, "not_found", false],
    [409, "fenced", false],
    [409, "a_code_of_later", false],
    [429, "too_many_requests", true],
    [500, "internal", true],
    [503, "store_unavailable", true],
  ])("W3: a problem of the server with status %i keeps its code: %s", (status, code, retryable) => {
    const text = JSON.stringify({ status, code, detail: "Why.", lastSequence: 7 });
    expect(errorFor(status, PROBLEM, text)).toMatchObject({
      code,
      message: "Why.",
      retryable,
      details: { lastSequence: 7 },
    });
  });

  it("W3: the code decides: any `type` and `title`, or none, makes the same error", () => {
    const type = fc.oneof(
      fc.constantFrom("about:blank", "/v1/errors/fenced", "/v1/errors/internal", "a b"),
      fc.webUrl(),
      fc.jsonValue({ maxDepth: 1 }),
    );
    const members = fc.record({ type, title: fc.jsonValue({ maxDepth: 1 }) }, { requiredKeys: [] });
    fc.assert(
      fc.property(members, (other) => {
        const own = { status: 409, code: "claimed", detail: "Why.", expiresAt: "soon" };
        const text = JSON.stringify({ ...other, ...own });
        expect(errorFor(409, PROBLEM, text)).toMatchObject({
          code: "claimed",
          message: "Why.",
          retryable: false,
          details: { expiresAt: "soon" },
        });
      }),
    );
  });

  it.each([
    ...[400, 401, 403, 404, 405, 408, 409, 410, 500, 502, 504].map(
      (status) => [status, "text/html", "<p>Back soon.</p>"] as const,
    ),
    [404, "application/json", '{"code":"not_found","detail":"No route."}'],
    [404, PROBLEM, '{"title":"Not Found","detail":"No route."}'],
    [404, PROBLEM, '{"code":5,"detail":"No route."}'],
    [404, PROBLEM, '{"code":"not_fou'],
    ...["{}", "[]", "7", "true"].map(
      (detail) => [409, PROBLEM, `{"code":"fenced","detail":${detail}}`] as const,
    ),
    [409, PROBLEM, '{"code":"run_finished","detail":"Why.","lastSequence":"7"}'],
    [409, PROBLEM, '{"code":"run_finished","detail":"Why.","lastSequence":-1}'],
    [409, PROBLEM, '{"code":"run_finished","detail":"Why.","runStatus":{}}'],
    [409, PROBLEM, '{"code":"claimed","detail":"Why.","expiresAt":7}'],
    [404, PROBLEM, "null"],
    [401, "", ""],
  ] as const)(
    "W3: an answer %i as %s, %j, of another program is retryable",
    (status, type, text) => {
      expect(errorFor(status, type, text)).toMatchObject({
        code: "store_unavailable",
        retryable: true,
        message: expect.stringContaining(`GET ${PATH} answered ${status} `) as string,
      });
    },
  );

  it.each(['"detail":null', '"title":"Conflict"', '"constructor":1,"__proto__":{"code":1}'])(
    "W3: a problem of the server without a text, or with members of any name, keeps its code: %s",
    (members) => {
      const error = errorFor(409, PROBLEM, `{"code":"fenced",${members}}`);
      expect(error).toMatchObject({ code: "fenced", retryable: false });
      expect((error as Error).message).toContain(`GET ${PATH} answered 409 `);
    },
  );

  it("W3: a 413 or 429 of a proxy counts like one of the server", () => {
    expect(errorFor(413, "text/html", "")).toMatchObject({
      code: "payload_too_large",
      retryable: false,
    });
    expect(errorFor(429, "text/html", "")).toMatchObject({
      code: "too_many_requests",
      retryable: true,
    });
  });
});

/** One answer of each kind that a server's success has, and answers of other programs. */
const BODIES = {
  run: '{"runId":"a","lastSequence":1,"runStatus":"running","finishedAt":null}',
  receipt: '{"firstSequence":1,"lastSequence":1,"runStatus":"running"}',
  otherCount: '{"firstSequence":1,"lastSequence":2,"runStatus":"running"}',
  turned: '{"firstSequence":2,"lastSequence":1,"runStatus":"running"}',
  page: '{"events":[],"lastSequence":1,"runStatus":"running"}',
  lease: '{"fence":1,"expiresAt":""}',
  list: '{"runs":[],"nextCursor":null}',
  session: '{"userId":"ada"}',
  nothing: "",
  html: "<p>Back soon.</p>",
  empty: "{}",
  array: "[]",
  null: "null",
  number: "7",
  cutOff: '{"lastSequence":1,"runStatus":"runn',
  texts: '{"lastSequence":"1","runStatus":"running","fence":"1","userId":1,"runs":{},"events":{}}',
  nulls:
    '{"lastSequence":null,"runStatus":null,"fence":null,"userId":null,"runs":null,"events":null}',
  strangeEvents: '{"events":[null,{"sequence":"1"}],"lastSequence":1,"runStatus":"running"}',
  strangeRuns: '{"runs":[{"lastSequence":1},null],"nextCursor":null}',
} as const;

type Kind = keyof typeof BODIES;

/** Those that show the state of a run: a later server may send further members. */
const STATES = ["run", "receipt", "otherCount", "turned", "page", "strangeEvents"] as const;

/** Each call, with the kinds of answers that it accepts. */
const CALLS: readonly (readonly [
  name: string,
  call: (runs: Client) => Promise<unknown>,
  taken: readonly Kind[],
])[] = [
  ["create", async (runs) => runs.create({ runId: "a" }), STATES],
  ["get", async (runs) => runs.get("a"), ["run"]],
  ["events", async (runs) => runs.events("a"), ["page"]],
  ["append", async (runs) => runs.append("a", [{ eventType: "STEP" }]), ["receipt"]],
  ["input", async (runs) => runs.input("a", "yes"), ["receipt"]],
  ["cancel", async (runs) => runs.cancel("a"), STATES],
  ["list", async (runs) => runs.list(), ["list"]],
  ["claim", async (runs) => runs.claim("a", { leaseMs: 1_000 }), ["lease"]],
  ["renew", async (runs) => runs.renew("a", 1, { leaseMs: 1_000 }), ["lease"]],
  ["session", async (runs) => runs.session(), ["session"]],
  ["delete", async (runs) => runs.delete("a"), []],
  ["release", async (runs) => runs.release("a", 1), []],
  ["openSession", async (runs) => runs.openSession("t"), []],
  ["closeSession", async (runs) => runs.closeSession(), []],
];

/** A client whose server answers every call with this. */
function clientOf(body: string, status = 200): Client {
  const headers = { "content-type": "application/json", "run-retention": "60" };
  const fetch = async (): Promise<Response> =>
    new Response(status === 204 ? null : body, { status, headers });
  return createClient({ baseUrl: "http://127.0.0.1", patienceMs: 0, fetch });
}

describe.each(CALLS)("W3: a success of %s", (_name, call, taken) => {
  it("W3: an answer counts only with the shape that this call needs", async () => {
    const kinds = Object.keys(BODIES) as Kind[];
    const got = await Promise.all(
      kinds.map(async (kind) => {
        const error = await call(clientOf(BODIES[kind])).then(
          () => null,
          (thrown: RunEventsError) => thrown,
        );
        if (error === null) return [kind, "taken"];
        expect(error).toMatchObject({ code: "store_unavailable", retryable: true });
        // The message never shows the answer.
        expect(error.message).toMatch(/answered 200 application\/json, not as a run-events server/);
        expect(error.message).not.toMatch(/Back soon|runn|ada/);
        return [kind, "refused"];
      }),
    );
    expect(got).toEqual(kinds.map((kind) => [kind, taken.includes(kind) ? "taken" : "refused"]));
  });

  it("W3: an answer without a body counts only where the call expects none", async () => {
    const answer = call(clientOf("", 204));
    if (taken.length === 0) await answer;
    else await expect(answer).rejects.toThrow("answered 204 application/json, not as a run-events");
  });
});

/** An answer that fits every call, with this number in each place of one, and further members. */
function wholeWith(number: number | string, members = ""): string {
  const event = `{"sequence":${number},"eventType":"TOKEN"}`;
  const run = `"firstSequence":${number},"lastSequence":${number},"runStatus":"running","finishedAt":null`;
  const lists = `"runs":[{${run}}],"nextCursor":null,"events":[${event}]`;
  return `{${run},${lists},"fence":${number},"expiresAt":"","userId":"ada"${members}}`;
}

describe.each(CALLS.filter(([, , taken]) => taken.length > 0))(
  "W3: the members of an answer to %s",
  (name, call) => {
    it.each([-1, 1.5, 2 ** 53, "1e400"])("W3: %s is no sequence and no fence", async (number) => {
      const answer = call(clientOf(wholeWith(number)));
      if (name === "session") await answer;
      else await expect(answer).rejects.toMatchObject({ code: "store_unavailable" });
    });

    it("W9, W31: 0 is neither a fence nor the sequence of an event", async () => {
      const answer = call(clientOf(wholeWith(0)));
      if (["claim", "renew", "events", "append", "input"].includes(name))
        await expect(answer).rejects.toMatchObject({ code: "store_unavailable" });
      else await answer;
    });

    it("W3: a member of a later server may have the name of one that all objects inherit", async () => {
      const names = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];
      for (const value of ["null", "1", '{"fence":-1}', '"Array"'])
        await call(clientOf(wholeWith(1, names.map((one) => `,"${one}":${value}`).join(""))));
    });

    it("W3: members that only a `__proto__` has do not count", async () => {
      await expect(call(clientOf(`{"__proto__":${wholeWith(1)}}`))).rejects.toMatchObject({
        code: "store_unavailable",
      });
    });

    it("W9: a phase is a text, `null` or missing", async () => {
      for (const phase of ["null", '"draft"'])
        await call(clientOf(wholeWith(1, `,"currentPhase":${phase}`)));
      const hasPhase = ["create", "get", "events", "append", "input", "cancel"].includes(name);
      for (const phase of ["{}", "7", "[]"]) {
        const answer = call(clientOf(wholeWith(1, `,"currentPhase":${phase}`)));
        if (hasPhase) await expect(answer).rejects.toMatchObject({ code: "store_unavailable" });
        else await answer;
      }
    });
  },
);

it.each(['{"fence":1}', '{"fence":1,"expiresAt":7}'])(
  "W31: a lease needs its end: %s",
  async (body) => {
    for (const call of [
      clientOf(body).claim("a", { leaseMs: 1_000 }),
      clientOf(body).renew("a", 1, { leaseMs: 1_000 }),
    ])
      await expect(call).rejects.toThrow("not as a run-events server does (fence,expiresAt)");
  },
);

it("W3: the error of a strange answer names the expected members", async () => {
  await expect(clientOf("{}").get("a")).rejects.toThrow(
    "GET /v1/agent-runs/a answered 200 application/json, not as a run-events server does (lastSequence,runStatus,currentPhase): is the path passed on to the server?",
  );
});
