import { describe, expect, it } from "vitest";
import { call } from "../../server/test/client.ts";
import { ADA, BOB, startServer } from "../../server/test/start-server.ts";
import { runCli, startCli } from "./start-cli.ts";

async function makeRun(url: string, ...eventTypes: readonly string[]): Promise<void> {
  await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
  await append(url, ...eventTypes);
}

async function append(url: string, ...eventTypes: readonly string[]): Promise<void> {
  const events = eventTypes.map((eventType) => ({ eventType, payload: { line: "a line" } }));
  await call(`${url}/v1/agent-runs/r/events`, ADA, "POST", { events });
}

describe("tail", () => {
  it.each([
    ["RUN_COMPLETED", "completed", 0],
    ["RUN_FAILED", "failed", 1],
    ["RUN_CANCELLED", "cancelled", 3],
  ])(
    "tail follows a run to its %s, and ends with the exit code of that status",
    async (last, status, code) => {
      const { url } = await startServer();
      await makeRun(url, "RUN_STARTED", "STDOUT");
      const cli = startCli(url, ["tail", "r"]);
      await cli.printed(" STDOUT a line\n");
      await append(url, "STEP");
      await cli.printed(" STEP a line\n");
      await append(url, last);
      const { exitCode, stdout, stderr } = await cli.ended;
      expect(exitCode).toBe(code);
      const lines = stdout.trimEnd().split("\n");
      expect(lines.map((line) => line.split(" ")[0])).toEqual(["1", "2", "3", "4"]);
      expect(stderr).toBe(`run-events: run r ${status}\n`);
    },
  );

  it("W1: tail writes each event with --json as the server has it, after --since", async () => {
    const { url } = await startServer();
    await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
    const exact = '{"b": 1e2, "a": 1.0, "n": 12345678901234567890}';
    await fetch(`${url}/v1/agent-runs/r/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADA}`, "content-type": "application/json" },
      body: `{"events":[{"eventType":"A"},{"eventType":"B","payload":${exact}},{"eventType":"RUN_COMPLETED"}]}`,
    });
    const { exitCode, stdout } = await runCli(url, ["tail", "r", "--json", "--since", "1"]);
    expect(exitCode).toBe(0);
    const [first = "", ...others] = stdout.trimEnd().split("\n");
    expect(first).toContain(`"payload":${exact.replaceAll(" ", "")}`);
    expect(others.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ sequence: 3 }]);
  });

  it("W16: tail writes every event of a run longer than a page", async () => {
    const { url } = await startServer();
    await makeRun(url, ...Array.from({ length: 1_000 }, () => "A"));
    await append(url, ...Array.from({ length: 1_000 }, () => "B"));
    await append(url, "RUN_COMPLETED");
    const { stdout } = await runCli(url, ["tail", "r"]);
    const sequences = stdout
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.split(" ")[0]));
    expect(sequences).toEqual(Array.from({ length: 2_001 }, (_, index) => index + 1));
  });

  it("W45: tail --tail 2 begins two events before the end, and goes on", async () => {
    const { url } = await startServer();
    await makeRun(url, "RUN_STARTED", "A", "B", "C");
    const cli = startCli(url, ["tail", "r", "--tail", "2"]);
    await cli.printed(" C a line\n");
    await append(url, "D");
    await cli.printed(" D a line\n");
    await append(url, "RUN_COMPLETED");
    const { exitCode, stdout } = await cli.ended;
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["3", "4", "5", "6"]);
  });

  it.each([
    ["1", ["RUN_COMPLETED"]],
    ["2", ["A", "RUN_COMPLETED"]],
    ["1000", ["RUN_STARTED", "A", "RUN_COMPLETED"]],
  ])("W45: tail --tail %s of a finished run writes %j", async (tail, expected) => {
    const { url } = await startServer();
    await makeRun(url, "RUN_STARTED", "A", "RUN_COMPLETED");
    const { exitCode, stdout } = await runCli(url, ["tail", "r", "--json", "--tail", tail]);
    expect(exitCode).toBe(0);
    const events = stdout.trimEnd().split("\n");
    expect(events.map((line) => JSON.parse(line) as unknown)).toMatchObject(
      expected.map((eventType) => ({ eventType })),
    );
  });

  it("tail ends with 4 for an unknown run or token, and with 5 for a sequence after the run's end", async () => {
    const { url } = await startServer();
    await makeRun(url, "RUN_STARTED");
    expect((await runCli(url, ["tail", "other"])).exitCode).toBe(4);
    expect((await runCli(url, ["tail", ".."])).exitCode).toBe(4);
    expect((await runCli(url, ["tail", "r"], { RUN_EVENTS_TOKEN: BOB })).exitCode).toBe(4);
    expect((await runCli(url, ["tail", "r"], { RUN_EVENTS_TOKEN: "x" })).exitCode).toBe(4);
    expect((await runCli(url, ["tail", "r", "--since", "9"])).exitCode).toBe(5);
    expect((await runCli(url, ["tail", "other", "--tail", "9"])).exitCode).toBe(4);
  });

  it("tail writes a line with controls as one line, and other text unchanged", async () => {
    const { url } = await startServer();
    await call(`${url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
    const line = "\n9 now RUN_COMPLETED {} \u001b]52;c;eA==\u0007\u009b2J\u202e";
    const events = [{ eventType: "NOTE", payload: { line } }, { eventType: "RUN_COMPLETED" }];
    await call(`${url}/v1/agent-runs/r/events`, ADA, "POST", { events });
    const { stdout } = await runCli(url, ["tail", "r"]);
    expect(stdout.replaceAll(/ \S+Z /g, " TIME ")).toBe(
      "1 TIME NOTE \\n9 now RUN_COMPLETED {} \\u001b]52;c;eA==\\u0007\\u009b2J\\u202e\n2 TIME RUN_COMPLETED\n",
    );
    const { stdout: json } = await runCli(url, ["tail", "r", "--json"]);
    expect(JSON.parse(json.split("\n")[0] ?? "")).toMatchObject({ payload: { line } });
  });

  it("tail ends like a program that writes to a closed pipe", async () => {
    const { url } = await startServer();
    await makeRun(url, "RUN_STARTED");
    const cli = startCli(url, ["tail", "r"]);
    await cli.printed("RUN_STARTED");
    cli.process.stdout?.destroy();
    await append(url, "STEP");
    await append(url, "STEP");
    expect((await cli.ended).exitCode).toBe(141);
  });
});
