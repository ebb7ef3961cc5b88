import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openAccess } from "../src/access.ts";
import { encodeGreeting } from "../src/greeting.ts";
import { openSqlite } from "../src/open-sqlite.ts";
import { openStore } from "../src/open-store.ts";
import { parseSettings, type Settings } from "../src/settings.ts";
import { makeTempFolder } from "./start-server.ts";

const NAMES = ["dev-token", "session-secret"];
const SECRET = "hunter2-".repeat(4);

function settingsOf(folder: string): Settings {
  const parsed = parseSettings({ STORE_URL: `sqlite:${folder}/runs.db` });
  if ("malformed" in parsed) throw new TypeError(parsed.malformed);
  return parsed.settings;
}

/** The refusal of a start for each secret, with the file that `prepare` has made; `none` if it starts. */
async function refusalsOf(prepare: (path: string) => void): Promise<readonly string[]> {
  const refusals: string[] = [];
  for (const name of NAMES) {
    const folder = await makeTempFolder();
    prepare(join(folder, name));
    const refusal = await openAccess(settingsOf(folder)).then(
      () => "none",
      (error: Error) => error.message.replace(join(folder, name), "FILE"),
    );
    expect(refusal).not.toContain("hunter2");
    refusals.push(refusal);
  }
  return refusals;
}

describe("a secret that the server keeps", () => {
  it("is accepted with the white space around it", async () => {
    expect(await refusalsOf((path) => writeFileSync(path, ` ${SECRET}\r\n`))).toEqual([
      "none",
      "none",
    ]);
  });

  it.each([
    ["is short", "hunter2"],
    ["has a control character", `${SECRET}\u001b[2J${SECRET}`],
    ["has a line end", `${SECRET}\n${SECRET}`],
    ["has a space", `${SECRET} ${SECRET}`],
    ["is not ASCII", `${SECRET}\u202e`.concat("é")],
  ])("is refused, and not shown, where its text %s", async (_, text) => {
    for (const refusal of await refusalsOf((path) => writeFileSync(path, text)))
      expect(refusal).toMatch(/^FILE: expected 32 or more visible ASCII characters, .+; remove it/);
  });

  it("is refused where it is a symbolic link", async () => {
    const target = join(await makeTempFolder(), "target");
    writeFileSync(target, SECRET);
    for (const to of [target, `${target}-missing`])
      for (const refusal of await refusalsOf((path) => symlinkSync(to, path)))
        expect(refusal).toBe("FILE is a symbolic link: remove it to have a secret generated");
  });

  it("is refused where every user can write it", async () => {
    const refusals = await refusalsOf((path) => {
      writeFileSync(path, SECRET);
      chmodSync(path, 0o602);
    });
    for (const refusal of refusals)
      expect(refusal).toBe(
        "FILE can be written by every user: remove it to have a secret generated",
      );
  });

  it("is refused where it is a pipe, which no start waits for", async () => {
    for (const refusal of await refusalsOf((path) => execFileSync("mkfifo", [path])))
      expect(refusal).toBe("FILE is not a regular file: remove it to have a secret generated");
  });
});

it("the greeting has no character that a terminal obeys, and no token in a command that a shell would change", () => {
  const token = `$(date)"${SECRET}`;
  const running = {
    url: "http://127.0.0.1:8080",
    localUrl: "http://127.0.0.1:8080",
    generated: { userId: "dev", token, path: "\u001b[2J/dev-token" },
    durability: "power",
    opening: Promise.resolve(),
    close: async () => {},
  } as const;
  const greeting = encodeGreeting(running, settingsOf("/data"));
  expect(greeting).not.toMatch(/[^\P{Cc}\n]/u);
  expect(greeting).toContain("(user dev, kept in \\u001b[2J/dev-token)");
  for (const line of greeting.split("\n").filter((line) => line.includes("curl")))
    expect(line).not.toContain("$(date)");
});

it("a database behind a symbolic link without its file is created for its owner only", async () => {
  const folder = await makeTempFolder();
  symlinkSync(join(folder, "target.db"), join(folder, "runs.db"));
  const { store, release } = await openSqlite(join(folder, "runs.db"), () => {});
  expect(statSync(join(folder, "target.db")).mode & 0o777).toBe(0o600);
  await store.close();
  await release();
});

it("a data folder that cannot be made is refused with the cause and the cure", async () => {
  // No user can make a folder there, not even root.
  const path = "/proc/run-events/deep/runs.db";
  await expect(openStore({ kind: "sqlite", path }, () => {})).rejects.toThrow(
    /^cannot open the store sqlite:\S+: expected a file in a folder that this user can write, got .+; let this user write to \/proc\/run-events\/deep, or set STORE_URL to another file$/,
  );
});

it("the unit for systemd restarts without limit, but not after a malformed setting", () => {
  const unit = readFileSync(join(import.meta.dirname, "../run-events.service"), "utf8");
  // By default systemd restarts after 100 ms, and gives up after five starts within 10 s.
  for (const line of [
    "StartLimitIntervalSec=0",
    "Restart=on-failure",
    "RestartSec=2",
    "RestartPreventExitStatus=2",
  ]) {
    expect(unit.split("\n")).toContain(line);
  }
});

it("the unit for systemd makes its folder before it writes there", () => {
  const unit = readFileSync(join(import.meta.dirname, "../run-events.service"), "utf8");
  expect(unit).toMatch(/^#\s+install -d -m 700 \/etc\/run-events\n#\s+install -m 600 /m);
});
