import { fork } from "node:child_process";
import { on, once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { ConformanceCase } from "@tm/run-events-conformance";
import { type CrashHooks, runProcessConformance } from "@tm/run-events-conformance/processes";
import { describe, expect, it, onTestFinished } from "vitest";
import { openJournal } from "./processes/journal.ts";
import { createJournalDoors } from "./processes/journal-doors.ts";
import { humble, processMutants } from "./processes/mutants.ts";
import type { JournalPlace } from "./processes/open-journal.ts";
import type { OtherPlace } from "./processes/open-otherwise.ts";

const execArgv = ["-C", "@tm/source"];

function casesOf(
  mutant: string | null,
  crashOf: ((file: () => string) => CrashHooks) | null = null,
): readonly ConformanceCase[] {
  const { file, ...doors } = createJournalDoors(mutant);
  return runProcessConformance<JournalPlace>({
    ...doors,
    ...(crashOf === null ? {} : { crash: crashOf(file) }),
  });
}

function casesOn(place: OtherPlace): readonly ConformanceCase[] {
  return runProcessConformance<OtherPlace>({
    name: place.kind,
    module: new URL("processes/open-otherwise.ts", import.meta.url),
    prepare: () => place,
    workers: 2,
    execArgv,
  });
}

async function failuresOf(cases: readonly ConformanceCase[], clause: string): Promise<string> {
  const failures: string[] = [];
  for (const one of cases) {
    if (one.clause === clause)
      await one.run().catch((error: Error) => failures.push(error.message));
  }
  return failures.join("\n");
}

describe("the kit in many processes", () => {
  describe("finds nothing in the store that the mutants break", () => {
    for (const { name, run } of casesOf(null)) it(name, run);
  });

  describe("demands nothing of a store that declares no durability", () => {
    const cases = casesOf(humble.name).filter(({ name }) => name.includes("killed"));
    for (const { name, run } of cases) it(name, run);
  });

  // One of them is waited for in vain for some seconds.
  describe.concurrent("finds", () => {
    for (const { name, clause, says } of processMutants) {
      it(`${clause} a store that ${name}`, async () => {
        expect(await failuresOf(casesOf(name), clause)).toMatch(says);
      });
    }
  });

  it("S6 finds a server that comes back without what it had acknowledged last", async () => {
    const cases = casesOf(null, (file) => ({
      async kill() {
        const journal = openJournal(file());
        journal.forgetNewest(5);
        journal.close();
      },
      restart: async () => {},
    }));
    const ofServer = cases.filter(({ name }) => name.includes("the server"));
    expect(await failuresOf(ofServer, "S6")).toContain("S6 is broken");
  });

  it("refuses a store that other processes do not see, case by case", async () => {
    for (const { name, run } of casesOn({ kind: "memory" })) {
      await expect(run(), name).rejects.toThrow("The store declares shared: false.");
    }
  });

  it("fails with what a process said that ended unasked", async () => {
    const cases = casesOn({ kind: "dying" }).filter(({ clause }) => clause === "S1");
    expect(await failuresOf(cases, "S1")).toMatch(
      /ended with exit code 3\.\nThe disk is on fire\./,
    );
  });

  it("leaves no process behind when its own is killed", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const script = fileURLToPath(new URL("processes/parent-process.ts", import.meta.url));
    const parent = fork(script, [String(port)], { execArgv });
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
