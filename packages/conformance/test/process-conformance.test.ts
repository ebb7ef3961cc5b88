import { fork } from "node:child_process";
import { on, once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { ConformanceCase } from "@tm/run-events-conformance";
import { runProcessConformance } from "@tm/run-events-conformance/processes";
import { describe, expect, it, onTestFinished } from "vitest";
import { casesOfClause, failuresInTurn } from "./kills/mutant-suite.ts";
import { connectionCases, processCases, processSuite } from "./kills/process-suite.ts";
import type { OtherPlace } from "./processes/open-otherwise.ts";
import { EXEC_ARGV } from "./processes/remote-doors.ts";

function casesOn(place: OtherPlace): readonly ConformanceCase[] {
  return runProcessConformance<OtherPlace>({
    name: place.kind,
    module: new URL("processes/open-otherwise.ts", import.meta.url),
    prepare: () => place,
    workers: 2,
    execArgv: EXEC_ARGV,
  });
}

describe("the kit in many processes", () => {
  describe("finds nothing in the store that the mutants break", () => {
    for (const { name, run } of processCases(null)) it(name, run);
  });

  describe("finds nothing in it if its connections are lost", () => {
    for (const { name, run } of connectionCases(null)) it(name, run);
  });

  describe("demands nothing of a store that declares no durability", () => {
    const cases = processCases("humble").filter(({ name }) => name.includes("killed"));
    for (const { name, run } of cases) it(name, run);
  });

  // One after the other: each has three processes, and this one compares all that they answer.
  describe("finds", () => {
    for (const { name, clause, judge } of processSuite.mutants) {
      it(`${clause} a store that ${name}`, async () => {
        expect(await judge(() => true)).not.toEqual([]);
      });
    }
  });

  it("S6 finds a server that comes back without what it had acknowledged last", async () => {
    const cases = processCases(null, (server) => ({
      kill: () => server().forgetNewest(5),
      restart() {},
    }));
    const ofServer = cases.filter(({ name }) => name.includes("the server"));
    const [failure] = await failuresInTurn(casesOfClause(ofServer, "S6"));
    expect(failure?.message).toContain("S6 is broken");
  });

  it("refuses a store that other processes do not see, in each kind of case", async () => {
    // A race, one whose clock is turned, and a crash: each starts its processes in another way.
    const cases = casesOn({ kind: "memory" });
    const chosen = ["S1 ", "S21 in a process", "S6 "].map((name) =>
      cases.find((one) => one.name.startsWith(name)),
    );
    for (const { name, run } of chosen.flatMap((one) => one ?? [])) {
      await expect(run(), name).rejects.toThrow("The store declares shared: false.");
    }
  });

  it("fails with the output of a process that ended by itself", async () => {
    const [failure] = await failuresInTurn(casesOfClause(casesOn({ kind: "dying" }), "S1"));
    expect(failure?.message).toMatch(/ended with exit code 3\.\nThe disk is on fire\./);
  });

  it("leaves no process alive when its own is killed", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const script = fileURLToPath(new URL("processes/parent-process.ts", import.meta.url));
    const parent = fork(script, [String(port)], { execArgv: [...EXEC_ARGV] });
    onTestFinished(() => void parent.kill("SIGKILL"));
    const sockets: Socket[] = [];
    for await (const [socket] of on(server, "connection")) {
      sockets.push(socket as Socket);
      if (sockets.length === 2) break;
    }
    parent.kill("SIGKILL");
    // The system closes them with their processes, as errors if need be.
    const ends = sockets.map((socket) => once(socket.on("error", () => {}).resume(), "close"));
    await Promise.all(ends);
  });
});
