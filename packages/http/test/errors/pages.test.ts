import { STREAM_ERRORS, type StreamErrorCode } from "@tm/run-events-core/wire";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ALL_CODES,
  ERROR_CODES,
  type ErrorCode,
  isErrorCode,
} from "../../src/exchange/error-codes.ts";
import { explainCode, listCodes } from "../../src/routes/explain-code.ts";
import { ADA } from "../harness/accounts.ts";
import { DOORS, openWorld } from "../harness/world.ts";

describe("the page of a code", () => {
  it.each(ALL_CODES)("W3, W22: %s is explained with all that the table has", (code) => {
    const { title, statuses, members = [], cause, cure, example } = ERROR_CODES[code];
    const text = explainCode(code);
    expect(text.startsWith(`${title}\n\nCode:     ${code}\n`)).toBe(true);
    const parts = [...statuses.map(String), ...members, cause, cure, example];
    for (const part of parts) expect(text).toContain(part);
    expect(text.endsWith("\n\nAll codes: /v1/errors\n")).toBe(true);
  });

  it("W22: says of each code of a stream whether a reader comes back", () => {
    for (const code of ALL_CODES) {
      const rule = isOfStream(code) ? STREAM_ERRORS[code] : null;
      const then = /A reader (comes|does not come) back by itself\./.exec(explainCode(code));
      const expected = rule?.retryable === true ? "comes" : "does not come";
      expect([code, then?.[1]]).toEqual([code, rule === null ? undefined : expected]);
    }
  });
});

it("W3: the list has each code once, in a line with its usual status and its title", () => {
  const rows = listCodes().split("\n\n")[1]?.trimEnd().split("\n") ?? [];
  expect(rows.map((row) => row.trim().split(/ {2,}|(?<=\d{3}) +/))).toEqual(
    ALL_CODES.map((code) => {
      const { title, statuses } = ERROR_CODES[code];
      return [code, ...statuses.slice(0, 1).map(String), title];
    }),
  );
});

function isOfStream(code: ErrorCode): code is StreamErrorCode {
  return Object.hasOwn(STREAM_ERRORS, code);
}

describe.each(DOORS)("%s", (door) => {
  it("W3: the address of every code is answered to anyone, as text that any cache may keep", async () => {
    await using world = await openWorld(door);
    for (const [path, text] of [
      ["/v1/errors", listCodes()],
      ...ALL_CODES.map((code) => [`/v1/errors/${code}`, explainCode(code)] as const),
    ] as const) {
      const answer = await world.send({ path });
      expect([path, answer.status, answer.text]).toEqual([path, 200, text]);
      expect(answer.headers).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "public, max-age=3600",
        "content-length": String(Buffer.byteLength(text)),
        "x-content-type-options": "nosniff",
      });
      const head = await world.send({ path, method: "HEAD" });
      const { date: _, ...headers } = answer.headers;
      expect(head).toMatchObject({ status: 200, text: "", headers });
    }
  });

  it("W3: a problem's own `type` leads to the page of its code, also of the problem that an unknown code has", async () => {
    await using world = await openWorld(door);
    for (const path of ["/v1/agent-runs/none", "/v1/agent-runs", "/v1/errors/none", "/"]) {
      const problem = (await world.send({ path, headers: path === "/" ? ADA : {} })).json();
      const page = await world.send({ path: String(problem["type"]) });
      expect([page.status, page.text.split("\n")[0]]).toEqual([200, problem["title"]]);
      expect(page.text).toContain(`\nCode:     ${String(problem["code"])}\n`);
    }
  });

  it("W3: any other text in the place of a code is 404, and never a cached answer", async () => {
    await using world = await openWorld(door);
    const other = fc
      .oneof(
        fc.string({ minLength: 1, unit: "grapheme" }),
        fc.constantFrom("__proto__", "constructor", "toString", "FENCED", "fenced ", "fenced.md"),
      )
      .filter((text) => !isErrorCode(text) && !/^\.{1,2}$/.test(text) && text.isWellFormed());
    await fc.assert(
      fc.asyncProperty(other, async (text) => {
        const answer = await world.send({ path: `/v1/errors/${encodeURIComponent(text)}` });
        expect([answer.status, answer.json()["code"]]).toEqual([404, "not_found"]);
        expect(answer.headers["cache-control"]).toBe("private, no-store");
      }),
    );
  });

  it("W3: the pages are answered without the store, during a shutdown, and with a credential that is not valid", async () => {
    await using world = await openWorld(door);
    world.store.cut(new Error("gone"));
    await world.drain(0);
    const headers = { authorization: "Bearer unknown" };
    const answer = await world.send({ path: "/v1/errors/draining", headers });
    expect([answer.status, answer.text]).toEqual([200, explainCode("draining")]);
    expect(world.reported).toEqual([]);
  });

  it("W3: a page of an origin on the list may read them, and a cache keeps its answer apart", async () => {
    const APP = "https://app.example";
    await using world = await openWorld(door, { allowedOrigins: [APP] });
    const path = "/v1/errors/fenced";
    const { headers } = await world.send({ path, headers: { origin: APP } });
    expect(headers).toMatchObject({ "access-control-allow-origin": APP, vary: "Origin" });
    expect((await world.send({ path })).headers).toMatchObject({ vary: "Origin" });
  });
});
