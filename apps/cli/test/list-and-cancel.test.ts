import { describe, expect, it } from "vitest";
import { call } from "../../server/test/client.ts";
import { ADA, BOB, startServer } from "../../server/test/start-server.ts";
import { findFreePort } from "../../../packages/test-servers/src/free-port.ts";
import { runCli } from "./start-cli.ts";

describe("list and cancel", () => {
  it("W14: list writes every run of the user, newest first, one a line", async () => {
    const { url } = await startServer();
    const runIds = Array.from({ length: 120 }, (_, index) => `r-${index}`);
    for (const runId of runIds) await call(`${url}/v1/agent-runs`, ADA, "POST", { runId });
    await call(`${url}/v1/agent-runs`, BOB, "POST", { runId: "of-bob" });
    const events = [{ eventType: "PHASE_STARTED", payload: { phase: "a\tb\nc\u009b2J\u202e" } }];
    await call(`${url}/v1/agent-runs/r-7/events`, ADA, "POST", { events });
    const claim = { leaseMs: 60_000, worker: "w\u202e" };
    await call(`${url}/v1/agent-runs/r-7/claim`, ADA, "POST", claim);

    const all = await runCli(url, ["list"]);
    expect(all.exitCode).toBe(0);
    const rows = all.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    expect(rows.map(([runId]) => runId)).toEqual(runIds.toReversed());
    const running = await runCli(url, ["list", "--status", "running"]);
    const time = expect.stringMatching(/^\d{4}-.*Z$/) as string;
    expect(running.stdout.trimEnd().split("\t")).toEqual([
      "r-7",
      "running",
      "1",
      time,
      '"a\\tb\\nc\\u009b2J\\u202e"',
      '"w\\u202e"',
      '""',
    ]);
  });

  it("W34: list --topic writes the user's runs of that topic, and --status live those that have not finished", async () => {
    const { url } = await startServer();
    const topic = "chat 7 & more+ \u{1f375}%";
    const ids = ["ended", "running", "queued"];
    for (const runId of ids) await call(`${url}/v1/agent-runs`, ADA, "POST", { runId, topic });
    await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "other", topic: "chat 8" });
    await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "none" });
    await call(`${url}/v1/agent-runs`, BOB, "POST", { runId: "of-bob", topic });
    await call(`${url}/v1/agent-runs/ended/cancel`, ADA, "POST");
    const events = [{ eventType: "NOTE" }];
    await call(`${url}/v1/agent-runs/running/events`, ADA, "POST", { events });

    const idsOf = async (...options: readonly string[]): Promise<readonly string[]> => {
      const { exitCode, stdout } = await runCli(url, ["list", ...options]);
      expect(exitCode).toBe(0);
      return stdout
        .split("\n")
        .flatMap((line) => (line === "" ? [] : [line.split("\t", 1).join()]));
    };
    expect(await idsOf("--topic", topic)).toEqual(["queued", "running", "ended"]);
    expect(await idsOf("--topic", topic, "--status", "live")).toEqual(["queued", "running"]);
    expect(await idsOf("--topic", topic, "--status", "cancelled")).toEqual(["ended"]);
    expect(await idsOf("--status", "live")).toEqual(["none", "other", "queued", "running"]);
    expect(await idsOf("--topic", "chat")).toEqual([]);
    const wrong = await runCli(url, ["list", "--topic", "a\nsecret"]);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
    expect(wrong.stderr).not.toContain("secret");
  });

  it("W14: list shows when a finished run is removed, if the server removes old runs", async () => {
    const { url } = await startServer({ RETENTION_DAYS: "0.5" });
    for (const runId of ["live", "ended"])
      await call(`${url}/v1/agent-runs`, ADA, "POST", { runId, topic: "tea" });
    const ended = await call(`${url}/v1/agent-runs/ended/cancel`, ADA, "POST");
    const { finishedAt } = (await ended.json()) as { readonly finishedAt: string };
    const { stdout } = await runCli(url, ["list"]);
    const rows = stdout.split("\n").slice(0, -1);
    const goesAt = new Date(Date.parse(finishedAt) + 43_200_000).toISOString();
    expect(rows.map((row) => row.split("\t").slice(4))).toEqual([
      ['""', '""', '"tea"', goesAt],
      ['""', '""', '"tea"', ""],
    ]);
  });

  it("W13: cancel ends a run, and shows the status of a run that had already ended", async () => {
    const { url } = await startServer();
    await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
    const cancelled = { exitCode: 0, stdout: "run r cancelled\n" };
    expect(await runCli(url, ["cancel", "r"])).toMatchObject(cancelled);
    expect(await runCli(url, ["cancel", "r"])).toMatchObject(cancelled);
  });

  it("list and cancel end with 4 for an unknown run or token, with 5 without a server, with 2 for wrong usage", async () => {
    const { url } = await startServer();
    const port = await findFreePort();
    expect((await runCli(url, ["cancel", "r"])).exitCode).toBe(4);
    const unknown = await runCli(url, ["list"], { RUN_EVENTS_TOKEN: "x" });
    expect(unknown.exitCode).toBe(4);
    expect(unknown.stderr).toContain(
      "give another token with RUN_EVENTS_TOKEN or RUN_EVENTS_TOKEN_FILE\n",
    );
    const away = await runCli(`http://127.0.0.1:${port}`, ["list"]);
    expect(away).toMatchObject({ exitCode: 5, stdout: "" });
    expect(away.stderr).toBe(
      `run-events: No server answers at http://127.0.0.1:${port}: ECONNREFUSED: start the server, or set its address with --url or RUN_EVENTS_URL\n`,
    );
    const misused = await runCli(url, ["list", "--status", "done"]);
    expect(misused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(misused.stderr).toMatch(/^run-events: .*--help\)\n$/);
    expect((await runCli(url, ["list"], { RUN_EVENTS_TOKEN: null })).exitCode).toBe(2);
    const help = await runCli(url, ["--help"]);
    expect(help).toMatchObject({ exitCode: 0, stderr: "" });
    expect(help.stdout).toContain("run-events exec -- <command...>");
  });

  it("W38, W39: input answers a run that waits, with the tokens as they were typed; a finished run takes none", async () => {
    const { url } = await startServer();
    await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
    const events = [{ eventType: "INPUT_REQUESTED", payload: "?" }];
    await call(`${url}/v1/agent-runs/r/events`, ADA, "POST", { events });
    const waiting = await runCli(url, ["list", "--status", "waiting"]);
    expect(waiting.stdout.split("\t").slice(0, 2)).toEqual(["r", "waiting"]);
    const answered = await runCli(url, ["input", "r", '{"n": 1.0}']);
    expect(answered).toMatchObject({ exitCode: 0, stdout: "run r running\n" });
    const followed = await fetch(`${url}/v1/agent-runs/r/events?since=1`, {
      headers: { authorization: `Bearer ${ADA}` },
    });
    expect(await followed.text()).toContain('"eventType":"INPUT_RECEIVED","payload":{"n":1.0}');
    await call(`${url}/v1/agent-runs/r/cancel`, ADA, "POST");
    expect(await runCli(url, ["input", "r", "1"])).toMatchObject({ exitCode: 5, stdout: "" });
    expect(await runCli(url, ["input", "other", "1"])).toMatchObject({ exitCode: 4 });
  });
});
