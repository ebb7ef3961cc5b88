import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { startBin } from "./start-process.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const KEPT = new URL("./modules/kept.ts", import.meta.url).href;
/** A case that asks `getRun`. */
const ASKS = ["--case", "S5 the store answers any program"] as const;

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
});

/** Writes a module with a fault. In its text, `kept` is what a sound one exports, `never` and `hold` make it hang. */
function moduleOf(text: string): string {
  const file = join(folder, "faulty.mjs");
  const head = `import { conformance as kept } from ${JSON.stringify(KEPT)};
const never = new Promise(() => {});
// As a connection does: the process does not end by itself.
const hold = () => void setInterval(() => {}, 60_000);
`;
  writeFileSync(file, head + text);
  return file;
}

/** A module whose store has other calls. */
function storeWith(calls: string): string {
  return moduleOf(`
function open() {
  const store = kept.open();
  return { ...store, ${calls} };
}
export const conformance = { ...kept, open };`);
}

describe("run-events-conformance, of a store with a fault", () => {
  it("ends at Ctrl-C while a store never opens", async () => {
    const open = `() => { console.log("opening"); hold(); return never; }`;
    const bin = startBin(moduleOf(`export const conformance = { ...kept, open: ${open} };`));
    await bin.printed("opening");
    bin.interrupt();
    const { code, stdout } = await bin.ended;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^0 passed, 0 failed, interrupted$/m);
  });

  it("ends at once at a second Ctrl-C, even if the store never closes", async () => {
    const module = moduleOf(`
function open() {
  const store = kept.open();
  return { ...store, append: () => { console.log("asked"); return never; }, close };
}
async function close() { console.log("closing"); hold(); await never; }
export const conformance = { ...kept, open };`);
    const bin = startBin(module, "--clause", "S2", "--case", "racing");
    await bin.printed("asked");
    bin.interrupt();
    await bin.printed("closing");
    bin.interrupt();
    const { code, signal } = await bin.ended;
    // Of which a shell makes 130.
    expect([code, signal]).toEqual([null, "SIGINT"]);
  });

  it("exits with 1 and names the case, if the store ends the process", async () => {
    const calls = "read: () => process.exit(0)";
    const { code, stderr } = await startBin(storeWith(calls), ...ASKS).ended;
    expect(stderr).toMatch(
      /^run-events-conformance: The process ended amid the case S5 the store answers any program.*\.\n$/,
    );
    expect(code).toBe(1);
  });

  it.each([
    ["a rejection", `void Promise.reject(new Error("Astray."))`],
    ["an error in a callback", `setImmediate(() => { throw new Error("Astray."); })`],
  ])("fails the case under way for %s without a handler, and goes on", async (_what, stray) => {
    const calls = `list(query) { ${stray}; return store.list(query); }`;
    const { code, stdout, stderr } = await startBin(storeWith(calls)).ended;
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^Expected no uncaught error, got Error: Astray\.\n +at /m);
    // It is not the first case of its cause, so it only names that one.
    expect(stdout).toMatch(/^memory: S17 deleting a finished.*\nThe same cause as in: S/m);
    expect(stdout).toMatch(/^S19 +kept/m);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^\d+ passed, \d+ failed$/);
  });

  it("does not wait long for an answer after an uncaught error", async () => {
    const thrown = `setImmediate(() => { throw new Error("Astray."); })`;
    const module = storeWith(`read() { ${thrown}; return never; }`);
    const { code, stdout } = await startBin(module, ...ASKS).ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^Expected the case to end within 10000 ms after an uncaught error\.\nExpected no uncaught error/m,
    );
  });

  it("fails the case under way for what it threw last, even if it passed", async () => {
    const module = moduleOf(`
const destroy = () => void Promise.reject(new Error("Astray."));
export const conformance = { ...kept, destroy };`);
    const { code, stdout } = await startBin(module, "--clause", "S19").ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/^S19 +broken +2 of 2 cases/m);
  });

  it.each([
    ["never comes to an end", "await never;"],
    ["ends the process", "process.exit(0);"],
  ])("exits with 2 and one line for a module that %s", async (_what, text) => {
    const module = moduleOf(text);
    const { code, stdout, stderr } = await startBin(module).ended;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`run-events-conformance: The process ended before ${module} was loaded.\n`);
  });
});

describe("run-events-conformance, of a file with a fault", () => {
  it("exits with 2 before any case, if the report cannot be written", async () => {
    const file = join(folder, "absent", "report.json");
    const { code, stdout, stderr } = await startBin("kept.ts", "--json", file).ended;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^run-events-conformance: .+ cannot be written: .+\n$/);
    expect(stderr).toContain(file);
  });

  it("prints what it found even if the report can no longer be written", async () => {
    const gone = join(folder, "gone");
    mkdirSync(gone);
    const bin = startBin(
      moduleOf(`
import { rmSync } from "node:fs";
const destroy = () => rmSync(${JSON.stringify(gone)}, { recursive: true, force: true });
export const conformance = { ...kept, destroy };`),
      "--clause",
      "S19",
      "--json",
      join(gone, "report.json"),
    );
    const { code, stdout, stderr } = await bin.ended;
    expect(stdout).toMatch(/^\d passed, 0 failed$/m);
    expect(stderr).toMatch(/^run-events-conformance: .+ cannot be written: .+\n$/);
    expect(code).toBe(2);
  });

  it("leaves an earlier report as it is when it is called wrongly", async () => {
    const file = join(folder, "report.json");
    writeFileSync(file, "before");
    await startBin("kept.ts", "--json", file, "--case", "absent").ended;
    expect(readFileSync(file, "utf8")).toBe("before");
    rmSync(file);
    await startBin("kept.ts", "--json", file, "--case", "absent").ended;
    expect(existsSync(file)).toBe(false);
  });
});
