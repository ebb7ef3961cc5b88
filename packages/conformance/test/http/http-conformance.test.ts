import {
  type Follow,
  type HttpConformanceOptions,
  runHttpConformance,
  runReaderConformance,
} from "@tm/run-events-conformance/http";
import type { ProfileName } from "@tm/run-events-conformance";
import { describe, expect, it } from "vitest";
import { PROFILES } from "../../src/profile.ts";
import { findCase, messageOf, replayOf } from "../messages.ts";
import { follow } from "./follow.ts";
import { memoryServerDoors } from "./memory-server.ts";
import { mapAnswers, mapPages, withBody } from "./mutants/server-mutant.ts";
import { streamMutants } from "./mutants/stream-mutants.ts";

const doors = memoryServerDoors();
const { cookieFor: _, endSession: __, ...withoutCookie } = doors;
/** The options that every server has. */
const bare = { baseUrl: doors.baseUrl, tokens: doors.tokens, cookieFor: () => "session=any" };

const withCookie = runHttpConformance({ name: "any", ...doors });
const withSession = runHttpConformance({ name: "any", ...withoutCookie });
const ofReaders = runReaderConformance({ name: "any", follow, ...doors });

/** The same server, whose open answers can be counted: a request's signal is all that it sees of a client. */
function countStreams(real: typeof doors): { readonly doors: typeof doors; open(): number } {
  const signals: AbortSignal[] = [];
  return {
    doors: {
      ...real,
      fetch: async (request) => {
        if (request.url.includes("/stream")) signals.push(request.signal);
        return (real.fetch ?? fetch)(request);
      },
    },
    open: () => signals.filter(({ aborted }) => !aborted).length,
  };
}

describe("runHttpConformance", () => {
  it("has each case under its own name, which begins with its clause", () => {
    for (const cases of [withCookie, withSession, ofReaders]) {
      const names = cases.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const { name, clause } of cases) expect(name.startsWith(`${clause} `)).toBe(true);
    }
  });

  it("has cases for every clause of the wire", () => {
    const clauses = new Set(withSession.map(({ clause }) => clause));
    // W40 to W42 are of what a worker's program does.
    const numbers = Array.from({ length: 49 }, (___, index) => index + 1).filter(
      (clause) => clause < 40 || clause > 42,
    );
    expect(clauses).toEqual(new Set(numbers.map((number) => `W${number}`)));
  });

  it("W45: lets a server say in every page where it begins, and in that of `tail` alone", async () => {
    const talkative = mapPages((answer) => {
      const { request, status, json } = answer;
      const { searchParams } = new URL(request.url);
      const since = Number(searchParams.get("since") ?? 0);
      // At its front, so that payloads and their spelling stay.
      return status !== 200 || json["since"] !== undefined
        ? null
        : withBody(answer, `{"since":${since},${answer.text.slice(1)}`);
    });
    for (const server of [doors, memoryServerDoors(talkative)]) {
      const cases = runHttpConformance({ name: "any", ...server });
      for (const { clause, run } of cases) {
        if (["W15", "W16", "W18", "W45"].includes(clause)) await run();
      }
    }
  });

  it("leaves out the cases of the session, and nothing else, where `cookieFor` is given", () => {
    const names = new Set(withCookie.map(({ name }) => name));
    const left = withSession.filter(({ name }) => !names.has(name));
    expect(new Set(left.map(({ clause }) => clause))).toEqual(new Set(["W29"]));
    expect(withCookie).toHaveLength(withSession.length - left.length);
  });

  const { hasty, idle, drain, allowedOrigin, endSession } = doors;
  const { queuedForMs, idleForMs, waitingForMs } = idle ?? {};
  const { heartbeatMs, stallMs, maxStreamAgeMs, leaseGraceMs } = hasty ?? {};
  it.for([
    ["hostPaths", { hostPaths: true }, ["W30"]],
    ["allowedOrigin", { allowedOrigin }, ["W5", "W5", "W5", "W19"]],
    ["drain", { drain }, ["W27"]],
    [
      "endSession without heartbeatMs",
      { endSession, hasty: { ...hasty, heartbeatMs: undefined } },
      ["W25", "W49", "W26", "W33"],
    ],
    ["stallMs", { hasty: { baseUrl: "", stallMs } }, ["W25", "W49"]],
    ["maxStreamAgeMs", { hasty: { baseUrl: "", maxStreamAgeMs } }, ["W26"]],
    ["leaseGraceMs", { hasty: { baseUrl: "", leaseGraceMs } }, ["W33"]],
    ["queuedForMs", { idle: { baseUrl: "", queuedForMs } }, ["W37", "W43"]],
    ["idleForMs", { idle: { baseUrl: "", idleForMs } }, ["W37", "W37"]],
    ["waitingForMs", { idle: { baseUrl: "", waitingForMs } }, ["W37"]],
    ["heartbeatMs", { hasty: { baseUrl: "", heartbeatMs } }, ["W22", "W47"]],
    [
      "heartbeatMs and endSession",
      { hasty: { baseUrl: "", heartbeatMs }, endSession },
      ["W22", "W47", "W26"],
    ],
  ] as const)("has the cases that need %s only where it is given", ([, more, clauses]) => {
    const named = { name: "any", ...bare };
    const plain = new Set(runHttpConformance(named).map(({ name }) => name));
    const cases = runHttpConformance({ ...named, ...more } as HttpConformanceOptions);
    const added = cases.filter(({ name }) => !plain.has(name)).map(({ clause }) => clause);
    expect(added).toEqual(clauses);
    expect(cases).toHaveLength(plain.size + added.length);
  });

  it("ends a session by `DELETE /v1/session` where there is no `cookieFor`", () => {
    expect(withSession.map(({ name }) => name)).toContainEqual(
      expect.stringContaining("W26 a session that is ended"),
    );
  });
});

describe.each([
  undefined,
  "about:blank",
  "",
  "/problems#claimed",
  "problems/claimed",
  "https://errors.example/a%20code?of=runs",
  "urn:uuid:0b8f9a2e-6f0f-4c3f-9d6e-1f6d0c0d9d51",
])("W3: a server whose problems have the type %j", (type) => {
  const doors = memoryServerDoors(
    mapAnswers((answer) =>
      answer.status >= 400 ? withBody(answer, { ...answer.json, type, title: undefined }) : null,
    ),
  );
  const { name, run } = findCase(
    runHttpConformance({ name: "other", ...doors }),
    "W31 a claim under a key",
  );
  it(`W3: passes: ${name}`, () => run());
});

describe("a failure of runHttpConformance", () => {
  it("names what is missing where no session can be opened", async () => {
    const { run } = findCase(withSession, "W1 ");
    await expect(run()).rejects.toThrow(
      /^any: W1 [^]*POST \/v1\/session[^]*got 404; a server without it needs `cookieFor`/,
    );
  });

  it("names in a failure the server, the case, what was expected and what came", async () => {
    const mutant = streamMutants["lets readers come back at once (W22)"];
    const broken = runHttpConformance({ name: "hasty", ...memoryServerDoors(mutant) });
    const { name, run } = findCase(broken, "W22 a change of status");
    await expect(run()).rejects.toThrow(
      `hasty: ${name}\nExpected that W22: the retry of connected is 2000 to 5000, got 100.`,
    );
  });

  it("prints in the failure of a random case its seed and path, the smallest program, and what came", async () => {
    const mutant = streamMutants["sends run_finished twice (W22)"];
    const broken = runHttpConformance({ name: "x", ...memoryServerDoors(mutant) });
    await expect(findCase(broken, "any program").run()).rejects.toThrow(
      /^x: W22 in any program[^\n]*\nExpected [^]*The input: [^]*"writers":\[\[[^]*number \d+ of 12[^]*replay: \{ case: "W22 [^"]+", seed: -?\d+, path: "[\d:]+" \}$/,
    );
  });

  it("runs the input of a failure again, that input alone", async () => {
    const mutant = streamMutants["sends run_finished twice (W22)"];
    const broken = { name: "x", ...memoryServerDoors(mutant) };
    const first = findCase(runHttpConformance({ ...broken, seed: 7 }), "any program");
    const { input, pasted } = replayOf(await messageOf(first));
    expect(pasted.replay).toMatchObject({ case: first.name, seed: 7 });
    const again = runHttpConformance({ ...broken, ...pasted });
    expect(again.map((one) => one.name)).toEqual([first.name]);
    await expect(again[0]?.run()).rejects.toThrow(`The input: ${input}\nIt was run again.`);
  });

  it("draws as many inputs as the profile has, the same from the same seed", async () => {
    async function bodiesOf(profile: ProfileName): Promise<readonly string[]> {
      const bodies: string[] = [];
      const counting = async (request: Request): Promise<Response> => {
        if (request.method === "POST") bodies.push(await request.clone().text());
        return (doors.fetch ?? fetch)(request);
      };
      const options = { ...doors, name: "any", profile, seed: 3, fetch: counting };
      await findCase(runHttpConformance(options), "any JSON value").run();
      return bodies;
    }
    const quick = await bodiesOf("quick");
    // A run and an append for each.
    expect(quick).toHaveLength(PROFILES.quick.inputs.wireValues * 2);
    expect(await bodiesOf("ci")).toHaveLength(PROFILES.ci.inputs.wireValues * 2);
    expect(await bodiesOf("quick")).toEqual(quick);
  });
});

describe("a case of runHttpConformance", () => {
  it("gives a case up when the test's signal is aborted, and leaves its streams", async () => {
    const counted = countStreams(doors);
    const cases = runHttpConformance({ name: "any", ...counted.doors });
    const running = new AbortController();
    const held = findCase(cases, "W28 beyond 32 long-polls").run({ signal: running.signal });
    running.abort(new Error("The test is over."));
    await expect(held).rejects.toThrow("The test is over.");
    expect(counted.open()).toBe(0);
  });

  it("asks for the base URL when a case runs, and takes it with a slash at its end", async () => {
    let asked = 0;
    const baseUrl = async (): Promise<string> => {
      asked += 1;
      return "http://memory.example/";
    };
    const cases = runHttpConformance({ name: "late", ...doors, baseUrl });
    expect(asked).toBe(0);
    await findCase(cases, "W8 creating answers").run();
    expect(asked).toBe(1);
  });

  it("leaves every stream that a case has opened, even after a case that fails", async () => {
    const mutant = streamMutants["gives frames a name (W22)"];
    for (const real of [memoryServerDoors(), memoryServerDoors(mutant)]) {
      const counted = countStreams(real);
      const cases = runHttpConformance({ name: "counted", ...counted.doors });
      await findCase(cases, "W21 the first frame")
        .run()
        .catch(() => null);
      await findCase(cases, "W28 beyond 32 streams")
        .run()
        .catch(() => null);
      expect(counted.open()).toBe(0);
    }
  });
});

describe("runReaderConformance", () => {
  it("prints in the failure of a random case how to run it again, and does so", async () => {
    const forgetful: Follow = async function* (target) {
      for await (const event of follow(target)) if (event.sequence !== 3) yield event;
    };
    const broken = { name: "x", follow: forgetful, ...doors };
    const { name, run } = findCase(runReaderConformance({ ...broken, seed: 7 }), "again and again");
    const failure = await run().catch((error: Error) => error.message);
    const [, path = ""] = /, seed: 7, path: "([\d:]+)" \}$/.exec(String(failure)) ?? [];
    const [again] = runReaderConformance({ ...broken, replay: { case: name, seed: 7, path } });
    await expect(again?.run()).rejects.toThrow(/Expected event 3 [^]*It was run again\./);
  });

  it("leaves every reader that a case has started", async () => {
    const counted = countStreams(doors);
    const cases = runReaderConformance({ name: "counted", follow, ...counted.doors });
    for (const part of ["gets an event", "is aborted", "past the end"]) {
      await findCase(cases, part).run();
    }
    await expect.poll(counted.open).toBe(0);
  });
});
