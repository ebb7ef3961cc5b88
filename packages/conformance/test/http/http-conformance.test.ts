import {
  type ConformanceCase,
  type HttpDoors,
  runHttpConformance,
  runReaderConformance,
} from "@tm/run-events-conformance/http";
import { describe, expect, it } from "vitest";
import { follow } from "./follow.ts";
import { memoryServerDoors } from "./memory-server.ts";
import { streamMutants } from "./mutants/stream-mutants.ts";

const doors = memoryServerDoors();
const { cookieFor: _, ...withoutCookie } = doors;

const withCookie = runHttpConformance({ name: "any", ...doors });
const withSession = runHttpConformance({ name: "any", ...withoutCookie });
const ofReaders = runReaderConformance({ name: "any", follow, ...doors });

function caseOf(cases: readonly ConformanceCase[], part: string): ConformanceCase {
  const found = cases.find((one) => one.name.includes(part));
  if (found === undefined) throw new TypeError(`Expected a case named ${part}.`);
  return found;
}

/** The same server, whose open answers can be counted: a request's signal is all that it sees of a client. */
function countStreams(real: HttpDoors): { readonly doors: HttpDoors; open(): number } {
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
  it("has each case under a name of its own that begins with its clause", () => {
    for (const cases of [withCookie, withSession, ofReaders]) {
      const names = cases.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const { name, clause } of cases) expect(name.startsWith(`${clause} `)).toBe(true);
    }
  });

  it("has cases for every clause but those that take long or depend on settings", () => {
    const clauses = new Set(withSession.map(({ clause }) => clause));
    const all = Array.from({ length: 30 }, (__, index) => `W${index + 1}`);
    expect(all.filter((clause) => !clauses.has(clause))).toEqual(["W25", "W26", "W27", "W30"]);
  });

  it("leaves out the cases of the session, and nothing else, where `cookieFor` is given", () => {
    const names = new Set(withCookie.map(({ name }) => name));
    const left = withSession.filter(({ name }) => !names.has(name));
    expect(new Set(left.map(({ clause }) => clause))).toEqual(new Set(["W29"]));
    expect(withCookie).toHaveLength(withSession.length - left.length);
  });

  it("says what is missing where there is no session to be had", async () => {
    const { run } = caseOf(withSession, "W1 ");
    await expect(run()).rejects.toThrow(
      /^any: W1 [^]*POST \/v1\/session[^]*got 404; a server without it needs `cookieFor`/,
    );
  });

  it("says in a failure which server, which case, what was expected and what came", async () => {
    const mutant = streamMutants.find(({ name }) => name === "lets readers come back at once");
    const broken = runHttpConformance({ name: "hasty", ...memoryServerDoors(mutant) });
    const { name, run } = caseOf(broken, "W22 a finished run");
    await expect(run()).rejects.toThrow(
      `hasty: ${name}\nExpected that W22: the retry of connected is 2000 to 5000, got 100.`,
    );
  });

  it("says in the failure of a random case its seed and path, the smallest program, and what came", async () => {
    const mutant = streamMutants.find(({ name }) => name === "says run_finished twice");
    const broken = runHttpConformance({ name: "x", ...memoryServerDoors(mutant) });
    await expect(caseOf(broken, "any program").run()).rejects.toThrow(
      /seed: -?\d+, path: "[\d:]+"[^]*"writers":\[\[[^]*Got error: Expected that W22: nothing stands behind/,
    );
  });

  it("asks for the base URL when a case runs, and takes it with a slash at its end", async () => {
    let asked = 0;
    const baseUrl = async (): Promise<string> => {
      asked += 1;
      return "http://memory.example/";
    };
    const cases = runHttpConformance({ name: "late", ...doors, baseUrl });
    expect(asked).toBe(0);
    await caseOf(cases, "W8 creating answers").run();
    expect(asked).toBe(1);
  });

  it("leaves every stream that a case has opened, also behind one that fails", async () => {
    const mutant = streamMutants.find(({ name }) => name === "gives frames a name");
    for (const real of [memoryServerDoors(), memoryServerDoors(mutant)]) {
      const counted = countStreams(real);
      const cases = runHttpConformance({ name: "counted", ...counted.doors });
      await caseOf(cases, "W21 the first frame")
        .run()
        .catch(() => null);
      await caseOf(cases, "W28 beyond 32 streams")
        .run()
        .catch(() => null);
      expect(counted.open()).toBe(0);
    }
  });
});

describe("runReaderConformance", () => {
  it("leaves every reader that a case has started", async () => {
    const counted = countStreams(doors);
    const cases = runReaderConformance({ name: "counted", follow, ...counted.doors });
    for (const part of ["handed an event", "told to leave", "past the end"]) {
      await caseOf(cases, part).run();
    }
    await expect.poll(counted.open).toBe(0);
  });
});
