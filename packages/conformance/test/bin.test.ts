import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { BIN_COMMAND, startBin, startShell } from "./start-process.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const ORDER = "one order of the calls explains every answer of programs that run at once";

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
});

/** The failures' inputs and the commands that run them again. */
function replaysOf(stdout: string): readonly { readonly input: string; readonly line: string }[] {
  const inputs = [...stdout.matchAll(/^The input: (.+)$/gm)].map(([, input]) => input);
  const lines = [...stdout.matchAll(/^ {2}npx run-events-conformance (.+)$/gm)];
  return lines.map(([, line], index) => ({ input: inputs[index] ?? "", line: line ?? "" }));
}

describe("run-events-conformance", () => {
  it("exits with 0 if everything passed, with a line for each clause and a last line", async () => {
    const { code, stdout, stderr } = await startBin("kept.ts").ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^memory, profile quick, seed -?\d+\n/);
    for (const clause of ["S1", "S13", "S20", "W2"]) {
      expect(stdout).toMatch(new RegExp(`^${clause} +kept +\\d+ cases? +\\d+\\.\\d\\d s$`, "m"));
    }
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^\d+ passed, 0 failed$/);
  });

  it("prints once, before the cases, which options are not given and how many cases need them", async () => {
    const { stdout } = await startBin("kept.ts", "--clause", "S17").ended;
    expect(stdout.match(/^Without .+$/gm)).toEqual(["Without `leftovers`: 1 case of S17 left out"]);
    const all = (await startBin("kept.ts").ended).stdout;
    expect(all).toMatch(/\nWithout `prepare`: \d+ cases? of S6.* left out\n/);
    expect(all.match(/^Without /gm)).toHaveLength(6);
  });

  it("prints how it is called for --help", async () => {
    const { code, stdout, stderr } = await startBin("--help").ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Usage: run-events-conformance MODULE .*--profile/);
  });

  it("exits with 1 where something failed, with the failures in full", async () => {
    const { code, stdout } = await startBin("broken.ts").ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^unwary: S2 .+\nExpected the outcomes of one call to have /m);
    expect(stdout).toContain(`unwary: S4 ${ORDER}\nS4 is broken: `);
    expect(stdout).toMatch(/^S4 +broken +1 of 1 case/m);
    expect(stdout).toMatch(/^S1 +kept/m);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^\d+ passed, [2-9] failed$/);
  });

  it("prints a line that runs the same shrunk input again, unchanged", async () => {
    const { stdout } = await startBin("broken.ts", "--profile", "ci").ended;
    const found = replaysOf(stdout);
    expect(found).not.toEqual([]);
    for (const { input, line } of found) {
      const again = await startShell(`${BIN_COMMAND} ${line}`).ended;
      expect(again.code).toBe(1);
      expect(again.stdout).toContain("It was run again.");
      expect(replaysOf(again.stdout)).toEqual([{ input, line }]);
      expect(again.stdout).toMatch(/^0 passed, 1 failed$/m);
    }
  });
});

describe("what run-events-conformance writes", () => {
  it("writes every case with its clause, time and failure, and the seed, as JSON", async () => {
    const file = join(folder, "report.json");
    await startBin("broken.ts", "--seed", "-3", "--json", file).ended;
    const report: unknown = JSON.parse(readFileSync(file, "utf8"));
    const kept = { passed: true, hung: false, ms: expect.any(Number), failure: null };
    const broken = { passed: false, hung: false, ms: expect.any(Number) };
    const message = expect.stringContaining("S4 is broken: ");
    expect(report).toEqual({
      store: "unwary",
      profile: "quick",
      seed: -3,
      interrupted: false,
      gaveUp: false,
      notRun: 0,
      passed: expect.any(Number),
      failed: expect.any(Number),
      cases: expect.arrayContaining([
        { name: expect.stringMatching(/^S16 a new run is queued/), clause: "S16", ...kept },
        {
          name: `S4 ${ORDER}`,
          clause: "S4",
          ...broken,
          failure: {
            message,
            clause: "S4",
            counterexample: {
              seed: -3,
              path: expect.any(String),
              input: expect.stringContaining("createRun"),
            },
          },
        },
      ]),
    });
  });

  it("runs only what is of the clause and has the text in its name", async () => {
    const { stdout } = await startBin("kept.ts", "--clause", "S9", "--case", "cut").ended;
    expect(stdout.split("\n").slice(1)).toEqual([
      expect.stringMatching(/^S9 +kept +1 case /),
      "1 passed, 0 failed",
      "",
    ]);
  });
});

describe("how run-events-conformance ends", () => {
  it.each([
    ["", "Expected one module, got 0."],
    ["kept.ts more.ts", "Expected one module, got 2."],
    ["kept.ts --fast", "'--fast'"],
    ["kept.ts --seed", "--seed"],
    ["kept.ts --seed 1.5", "Expected --seed to be an integer of 32 bits, got 1.5."],
    ["kept.ts --profile slow", "Expected a profile (quick, ci, soak), got slow."],
    [
      "kept.ts --case absent",
      "Expected --case and --clause to match a case, but none does. Check both, or leave one out.",
    ],
    ["kept.ts --clause S9 --path 0:1", "Expected --seed with --path."],
    ["kept.ts --seed 1 --path 0:1", "Expected --case to name one case"],
    ["kept.ts --clause S9 --seed 1 --path x", "Expected --path as a failure prints it, got x."],
    ["absent.ts", "absent.ts cannot be loaded: "],
    ["../unwary-doors.ts", "to export `conformance`"],
  ])("exits with 2 and one line for misuse: %s", async (args, why) => {
    const { code, stdout, stderr } = await startBin(...args.split(" ").filter(Boolean)).ended;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^run-events-conformance: .+\n$/);
    expect(stderr).toContain(why);
  });

  it("ends at Ctrl-C, destroys what is open, and reports what it had", async () => {
    const file = join(folder, "report.json");
    const bin = startBin("hanging.ts", "--json", file, "--clause", "S2", "--case", "racing");
    await bin.printed("asked");
    bin.interrupt();
    const { code, stdout } = await bin.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^asked\ndestroyed\n0 passed, 0 failed, interrupted\n$/m);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ interrupted: true, cases: [] });
  });

  it("ends at Ctrl-C even while a store in memory soaks", async () => {
    const bin = startBin("kept.ts", "--profile", "soak", "--case", "cut by limit");
    await bin.printed("profile soak");
    bin.interrupt();
    const { code, stdout } = await bin.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^0 passed, 0 failed, interrupted$/m);
  });
});
