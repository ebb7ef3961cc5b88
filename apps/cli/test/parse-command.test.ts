import { describe, expect, it } from "vitest";
import { parseCommand } from "../src/parse-command.ts";

const ENV = { RUN_EVENTS_TOKEN: "t" };
const target = { url: "http://127.0.0.1:8080", token: "t" };

describe("the command line", () => {
  it.each([
    [
      ["exec", "--", "ls", "-l", "--", "--help"],
      { name: "exec", leaseMs: 60_000, command: ["ls", "-l", "--", "--help"] },
    ],
    [["exec", "--lease", "1", "--", "ls"], { name: "exec", leaseMs: 1_000, command: ["ls"] }],
    [
      ["exec", "--lease=3600", "--", "ls", "--lease", "x"],
      { name: "exec", leaseMs: 3_600_000, command: ["ls", "--lease", "x"] },
    ],
    [["tail", "r"], { name: "tail", runId: "r", since: 0, json: false }],
    [["--json", "tail", "r", "--since", "7"], { name: "tail", runId: "r", since: 7, json: true }],
    [["list"], { name: "list", status: null }],
    [["list", "--status=running"], { name: "list", status: "running" }],
    [["cancel", "r"], { name: "cancel", runId: "r" }],
  ])("takes %j", (argv, command) => {
    expect(parseCommand(argv, ENV)).toEqual({ ...command, target });
  });

  it("prefers its options to the environment", () => {
    const env = { RUN_EVENTS_URL: "http://a:1/", RUN_EVENTS_TOKEN: "of-env" };
    expect(parseCommand(["list"], env)).toMatchObject({
      target: { url: "http://a:1", token: "of-env" },
    });
    const argv = ["list", "--url", "https://b/runs/", "--token", "of-option"];
    expect(parseCommand(argv, env)).toMatchObject({
      target: { url: "https://b/runs", token: "of-option" },
    });
  });

  it.each([["--help"], ["-h"], ["help"], ["tail", "--help"]])("helps with %s", (...argv) => {
    expect(parseCommand(argv, {})).toEqual({ name: "help" });
  });

  it.each([
    [[], "there is no command: expected serve, exec, tail, list or cancel"],
    [["frobnicate"], "frobnicate is no command: expected serve, exec, tail, list or cancel"],
    [["toString"], "toString is no command"],
    [["list", "--frobnicate"], "Unknown option '--frobnicate'"],
    [["exec"], "exec takes -- <command...>"],
    [["exec", "--"], "exec takes -- <command...>"],
    [["exec", "ls"], "exec takes -- <command...>"],
    [["exec", "ls", "--", "ls"], "exec takes -- <command...>"],
    [["exec", "--json", "--", "ls"], "exec has no --json"],
    [["exec", "--lease", "0", "--", "ls"], "--lease is a number of seconds from 1 to 3600"],
    [["exec", "--lease", "3601", "--", "ls"], "--lease is a number of seconds from 1 to 3600"],
    [["exec", "--lease", "1.5", "--", "ls"], "--lease is a number of seconds from 1 to 3600"],
    [["tail", "a", "--lease", "1"], "tail has no --lease"],
    [["tail"], "tail takes one run id"],
    [["tail", "a", "b"], "tail takes one run id"],
    [["tail", "a", "--since", "-1"], "Option '--since' argument is ambiguous"],
    [["tail", "a", "--since=x"], "--since is the number of an event, or 0"],
    [["tail", "a", "--", "b"], "tail takes no --"],
    [["list", "a"], "list takes no operand"],
    [
      ["list", "--status", "done"],
      "--status is one of queued, running, completed, failed, cancelled",
    ],
    [["list", "--since", "1"], "list has no --since"],
    [["cancel"], "cancel takes one run id"],
    [["list", "--url", "ftp://a"], "the server's URL is http://HOST:PORT or https://HOST"],
    [["list", "--url", "localhost"], "the server's URL is http://HOST:PORT or https://HOST"],
    [["list", "--url", "http://ada:secret@a"], "the server's URL holds no user or password"],
    [["list", "--token", "a b"], "the token cannot be sent in a header"],
  ])("refuses %j", (argv, wrong) => {
    expect(parseCommand(argv, ENV)).toEqual({ wrong: expect.stringContaining(wrong) });
  });

  it("starts a server without a token, whose settings are variables alone", () => {
    expect(parseCommand(["serve"], {})).toEqual({ name: "serve" });
    for (const argv of [
      ["serve", "x"],
      ["serve", "--", "x"],
    ]) {
      expect(parseCommand(argv, ENV)).toEqual({ wrong: "serve takes no operand" });
    }
    expect(parseCommand(["serve", "--token", "t"], ENV)).toEqual({
      wrong: "serve has no --token: its settings are variables",
    });
  });

  it("refuses to go without a token", () => {
    for (const env of [{}, { RUN_EVENTS_TOKEN: "" }]) {
      expect(parseCommand(["list"], env)).toEqual({
        wrong: expect.stringContaining("there is no token: give --token or RUN_EVENTS_TOKEN"),
      });
    }
  });
});
