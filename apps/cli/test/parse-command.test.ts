import { JsonText } from "@tm/run-events-core";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseCommand } from "../src/parse-command.ts";

const ENV = { RUN_EVENTS_TOKEN: "t" };
const target = { url: "http://127.0.0.1:8080", basePath: "/v1/agent-runs", token: "t" };

/** `exec -- ls` without options. */
const EXEC = { name: "exec", leaseMs: 60_000, topic: null, exclusive: false, command: ["ls"] };

describe("the command line", () => {
  it.each([
    [
      ["exec", "--", "ls", "-l", "--", "--help"],
      { ...EXEC, command: ["ls", "-l", "--", "--help"] },
    ],
    [["exec", "--lease", "1", "--", "ls"], { ...EXEC, leaseMs: 1_000 }],
    [
      ["exec", "--topic", "tea", "--exclusive", "--", "ls"],
      { ...EXEC, topic: "tea", exclusive: true },
    ],
    [
      ["exec", "--lease=3600", "--", "ls", "--lease", "x"],
      { ...EXEC, leaseMs: 3_600_000, command: ["ls", "--lease", "x"] },
    ],
    [["tail", "r"], { name: "tail", runId: "r", since: 0, tail: null, json: false }],
    [
      ["--json", "tail", "r", "--since", "7"],
      { name: "tail", runId: "r", since: 7, tail: null, json: true },
    ],
    [["tail", "r", "--tail", "50"], { name: "tail", runId: "r", since: 0, tail: 50, json: false }],
    [["list"], { name: "list", status: null, topic: null }],
    [["list", "--status=running"], { name: "list", status: "running", topic: null }],
    [
      ["list", "--topic", "chat 7 & more", "--status", "live"],
      { name: "list", status: "live", topic: "chat 7 & more" },
    ],
    [["list", "--topic=-x"], { name: "list", status: null, topic: "-x" }],
    [
      ["list", "--topic", "\u{1f375}".repeat(200)],
      { name: "list", status: null, topic: "\u{1f375}".repeat(200) },
    ],
    [["cancel", "r"], { name: "cancel", runId: "r" }],
    [
      ["input", "r", '{"n": 1.0}'],
      { name: "input", runId: "r", payload: JsonText.parse('{"n": 1.0}') },
    ],
  ])("takes %j", (argv, command) => {
    expect(parseCommand(argv, ENV)).toEqual({ ...command, target });
  });

  it("options win over the environment", () => {
    const env = { RUN_EVENTS_URL: "http://a:1/", RUN_EVENTS_TOKEN: "of-env" };
    expect(parseCommand(["list"], env)).toMatchObject({
      target: { url: "http://a:1", token: "of-env" },
    });
    expect(parseCommand(["list", "--url", "https://b/runs/"], env)).toMatchObject({
      target: { url: "https://b/runs" },
    });
  });

  it("W50: the path of all runs is the option, or else the variable, without a slash at its end", () => {
    const env = { ...ENV, RUN_EVENTS_BASE_PATH: "/of/env/" };
    expect(parseCommand(["list"], env)).toMatchObject({ target: { basePath: "/of/env" } });
    const argv = ["list", "--base-path", "/of-option"];
    expect(parseCommand(argv, env)).toMatchObject({ target: { basePath: "/of-option" } });
    expect(parseCommand(["list", "--base-path", "runs"], ENV)).toEqual({
      wrong:
        "expected the path of all runs to be like /api/runs: check --base-path or RUN_EVENTS_BASE_PATH",
    });
  });

  it.each([["--help"], ["-h"], ["help"], ["tail", "--help"]])(
    "the command line shows the help with %s",
    (...argv) => {
      expect(parseCommand(argv, {})).toEqual({ name: "help" });
    },
  );

  it.each([
    [[], "expected a command: serve, exec, tail, list, input or cancel"],
    [
      ["frobnicate"],
      "frobnicate is not a command: expected serve, exec, tail, list, input or cancel",
    ],
    [["toString"], "toString is not a command"],
    [["list", "--frobnicate"], "Unknown option '--frobnicate'"],
    [["exec"], "exec expects a command after --"],
    [["exec", "--"], "exec expects a command after --"],
    [["exec", "ls"], "exec expects a command after --"],
    [["exec", "ls", "--", "ls"], "exec expects a command after --"],
    [["exec", "--json", "--", "ls"], "exec has no --json"],
    [["exec", "--exclusive", "--", "ls"], "--exclusive expects --topic too"],
    [
      ["exec", "--lease", "0", "--", "ls"],
      "--lease expects a number of seconds from 1 to 3600, got 0",
    ],
    [
      ["exec", "--lease", "3601", "--", "ls"],
      "--lease expects a number of seconds from 1 to 3600, got 3601",
    ],
    [
      ["exec", "--lease", "1.5", "--", "ls"],
      "--lease expects a number of seconds from 1 to 3600, got 1.5",
    ],
    [["tail", "a", "--lease", "1"], "tail has no --lease"],
    [["tail"], "tail expects one run id, got 0"],
    [["tail", "a", "b"], "tail expects one run id, got 2"],
    [["tail", "a", "--since", "-1"], "Option '--since' argument is ambiguous"],
    [["tail", "a", "--since=x"], "--since expects the sequence of an event, or 0, got x"],
    [["tail", "a", "--tail", "0"], "--tail expects a number of events from 1 to 1000, got 0"],
    [["tail", "a", "--tail", "1001"], "--tail expects a number of events from 1 to 1000, got 1001"],
    [["tail", "a", "--tail", "x"], "--tail expects a number of events from 1 to 1000, got x"],
    [["tail", "a", "--tail", "5", "--since", "0"], "tail expects --since or --tail, got both"],
    [["list", "--tail", "5"], "list has no --tail"],
    [["tail", "a", "--", "b"], "tail expects no command after --"],
    [["list", "a"], "list expects no argument, got a"],
    [
      ["list", "--status", "done"],
      "--status expects one of live, queued, running, waiting, completed, failed, cancelled, got done",
    ],
    [["list", "--topic", ""], "--topic expects 1 to 200 characters"],
    [["list", "--topic", "x".repeat(201)], "--topic expects 1 to 200 characters"],
    [["list", "--topic", "a\nb"], "--topic expects 1 to 200 characters"],
    [["list", "--topic"], "Option '--topic <value>' argument missing"],
    [["tail", "a", "--topic", "b"], "tail has no --topic"],
    [["list", "--since", "1"], "list has no --since"],
    [["cancel"], "cancel expects one run id, got 0"],
    [["input", "r"], "input expects a run id and a JSON value, got 1 arguments"],
    [["input", "r", "yes"], `input expects a JSON value, such as '"yes"' or '{"ok":true}'`],
    [
      ["list", "--url", "ftp://a"],
      "expected the server's URL to be like http://HOST:PORT or https://HOST: check --url or RUN_EVENTS_URL",
    ],
    [
      ["list", "--url", "localhost"],
      "expected the server's URL to be like http://HOST:PORT or https://HOST: check --url or RUN_EVENTS_URL",
    ],
    [
      ["list", "--url", "http://ada:secret@a"],
      "expected the server's URL without a user or password",
    ],
  ])("the command line refuses %j", (argv, wrong) => {
    expect(parseCommand(argv, ENV)).toEqual({ wrong: expect.stringContaining(wrong) });
  });

  it("serve starts a server without a token, with environment variables as its only settings", () => {
    expect(parseCommand(["serve"], {})).toEqual({ name: "serve" });
    for (const argv of [
      ["serve", "x"],
      ["serve", "--", "x"],
    ]) {
      expect(parseCommand(argv, ENV)).toEqual({
        wrong: "serve expects no argument: set it up with environment variables",
      });
    }
    expect(parseCommand(["serve", "--token", "t"], ENV)).toEqual({
      wrong: "serve has no --token: set it up with environment variables",
    });
  });

  it.each([
    ["exec", "--token", "hunter2", "--", "ps"],
    ["exec", "--token=hunter2", "--", "ps"],
    ["tail", "r", "--token", "hunter2"],
    ["list", "--token=hunter2"],
    ["input", "r", "1", "--token", "hunter2"],
    ["cancel", "r", "--token", "hunter2"],
  ])(
    "%s refuses a token on the command line, which others can read, and does not repeat it",
    (...argv) => {
      expect(parseCommand(argv, ENV)).toEqual({
        wrong: `${argv[0]} has no --token: every user of this machine can read a command line, and so can the command of exec; set RUN_EVENTS_TOKEN, or RUN_EVENTS_TOKEN_FILE to the name of a file that has the token`,
      });
    },
  );

  it("the token may be in a file, without the white space around it", () => {
    const env = { RUN_EVENTS_TOKEN_FILE: fileOf(" t\r\n\n") };
    expect(parseCommand(["list"], env)).toEqual({
      name: "list",
      status: null,
      topic: null,
      target,
    });
  });

  it("a token in a file is refused if the variable itself is set too", () => {
    const env = { ...ENV, RUN_EVENTS_TOKEN_FILE: fileOf("hunter2") };
    expect(parseCommand(["list"], env)).toEqual({
      wrong: "RUN_EVENTS_TOKEN_FILE: expected it or RUN_EVENTS_TOKEN, got both; unset one of them",
    });
  });

  it("a token's file that cannot be read, is empty or is not UTF-8 is refused", () => {
    const [empty, binary] = [fileOf(" \n"), fileOf(Buffer.from([0x74, 0xff]))];
    const flaws = {
      "": "got an empty path",
      [tmpdir()]: `but ${tmpdir()} is not a regular file`,
      hunter2: "but reading it failed: ENOENT",
      [empty]: `but ${empty} is empty`,
      [binary]: `but ${binary} is not UTF-8 text`,
    };
    for (const [path, flaw] of Object.entries(flaws)) {
      const wrong = `RUN_EVENTS_TOKEN_FILE: expected a file that this user can read, ${flaw}`;
      expect(parseCommand(["list"], { RUN_EVENTS_TOKEN_FILE: path })).toEqual({ wrong });
    }
  });

  it("a token that no header can carry is refused, and not repeated", () => {
    expect(parseCommand(["list"], { RUN_EVENTS_TOKEN: "hunter 2" })).toEqual({
      wrong: "RUN_EVENTS_TOKEN: expected a token of visible ASCII characters, without spaces",
    });
    for (const text of ["hunter 2", "hunter2\nhunter2", "hünter2"]) {
      expect(parseCommand(["list"], { RUN_EVENTS_TOKEN_FILE: fileOf(text) })).toEqual({
        wrong:
          "RUN_EVENTS_TOKEN_FILE: expected a token of visible ASCII characters, without spaces",
      });
    }
  });

  it("the token's file is not read if it is not needed", () => {
    const env = { ...ENV, RUN_EVENTS_TOKEN_FILE: "/missing" };
    expect(parseCommand(["serve"], env)).toEqual({ name: "serve" });
    expect(parseCommand(["--help"], env)).toEqual({ name: "help" });
  });

  it("the command line refuses a command without a token", () => {
    for (const env of [{}, { RUN_EVENTS_TOKEN: "" }]) {
      expect(parseCommand(["list"], env)).toEqual({
        wrong: expect.stringContaining(
          "expected a token: set RUN_EVENTS_TOKEN, or RUN_EVENTS_TOKEN_FILE to the name of a file",
        ),
      });
    }
  });
});

/** A file with this text, which goes with the test. */
function fileOf(text: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "run-events-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "token");
  writeFileSync(path, text);
  return path;
}
