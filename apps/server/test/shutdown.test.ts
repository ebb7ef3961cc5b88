import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { call, openStream, signIn } from "./client.ts";
import { ADA, MAIN, makeTempFolder, startInVain, startServer } from "./start-server.ts";

interface Page {
  readonly events: readonly { readonly sequence: number; readonly payload: unknown }[];
  readonly lastSequence: number;
}

it.each(["SIGTERM", "SIGINT"] as const)(
  "W27: a shutdown by %s ends every stream as draining, answers every poll, loses no acknowledged append and exits 0",
  async (signal) => {
    const folder = await makeTempFolder();
    const env = { STORE_URL: `sqlite:${join(folder, "runs.db")}`, DRAIN_MS: "500" };
    const server = await startServer(env);
    const runUrl = `${server.url}/v1/agent-runs/r`;
    await call(`${server.url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
    await call(`${server.url}/v1/agent-runs`, ADA, "POST", { runId: "quiet" });
    const { cookie } = await signIn(server.url, ADA);
    const streams = await Promise.all(
      Array.from({ length: 12 }, () => openStream(server.url, "r", cookie)),
    );
    const poll = call(`${server.url}/v1/agent-runs/quiet/events?wait=30`, ADA);
    await expect
      .poll(async () => (await fetch(`${server.url}/metrics`)).text(), { timeout: 20_000 })
      .toContain("long_polls_waiting 1");

    const acknowledged = new Map<number, string>();
    async function appendUntilRefused(writer: number): Promise<void> {
      for (let number = 0; ; number += 1) {
        const payload = `${writer}-${number}`;
        try {
          const events = [{ eventType: "STEP", payload }];
          const response = await call(`${runUrl}/events`, ADA, "POST", { events });
          if (response.status !== 201) return;
          const { firstSequence } = (await response.json()) as { firstSequence: number };
          acknowledged.set(firstSequence, payload);
        } catch {
          // The server has gone.
          return;
        }
      }
    }
    const writers = Array.from({ length: 4 }, (_, writer) => appendUntilRefused(writer));
    await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(50);

    const { exitCode, stderr } = await server.end(signal);
    expect(exitCode, stderr).toBe(0);
    for (const frames of await Promise.all(streams.map((stream) => stream.frames))) {
      expect(frames.at(-1)).toMatchObject({ type: "error", code: "draining" });
    }
    expect(await (await poll).json()).toMatchObject({ events: [], runStatus: "queued" });
    await Promise.all(writers);

    const restarted = await startServer(env);
    const kept = new Map<number, unknown>();
    for (let since = 0, last = 1; since < last; since = kept.size) {
      const path = `/v1/agent-runs/r/events?since=${since}&limit=1000`;
      const page = (await (await call(restarted.url + path, ADA)).json()) as Page;
      for (const { sequence, payload } of page.events) kept.set(sequence, payload);
      last = page.lastSequence;
    }
    for (const [sequence, payload] of acknowledged) expect(kept.get(sequence)).toBe(payload);
    expect(new Set(kept.values()).size).toBe(kept.size);
  },
);

it("W12, W27: a shutdown cuts an upload that goes on, and keeps its lines so far", async () => {
  const folder = await makeTempFolder();
  const env = { STORE_URL: `sqlite:${join(folder, "runs.db")}`, DRAIN_MS: "0" };
  const server = await startServer(env);
  await call(`${server.url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
  const upload = request(`${server.url}/v1/agent-runs/r/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADA}`, "content-type": "application/x-ndjson" },
  });
  onTestFinished(() => void upload.destroy());
  upload.write('{"eventType":"FIRST"}\n{"eventType":"HALF"');
  const cut = once(upload, "error").catch(() => undefined);
  await expect
    .poll(async () => (await call(`${server.url}/v1/agent-runs/r`, ADA)).json(), {
      timeout: 20_000,
    })
    .toMatchObject({ lastSequence: 1 });
  expect((await server.end("SIGTERM")).exitCode).toBe(0);
  await cut;
  const restarted = await startServer(env);
  const page = await (await call(`${restarted.url}/v1/agent-runs/r/events`, ADA)).json();
  expect(page).toMatchObject({ events: [{ eventType: "FIRST" }], lastSequence: 1 });
});

it("W27: a shutdown ends at once with the second signal", async () => {
  const server = await startServer({ DRAIN_MS: "2147000000" });
  await call(`${server.url}/v1/agent-runs`, ADA, "POST", { runId: "r" });
  const { cookie } = await signIn(server.url, ADA);
  await openStream(server.url, "r", cookie);
  server.process.kill("SIGTERM");
  await expect.poll(() => server.stderr(), { timeout: 20_000 }).toContain('"draining"');
  expect((await server.end("SIGINT")).exitCode).toBe(1);
});

it("W27: a signal that comes as the server prints its address shuts it down, with a drain", async () => {
  const code = `
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text, ...rest) => {
      if (String(text).includes("listening on")) process.kill(process.pid, "SIGTERM");
      return write(text, ...rest);
    };`;
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(code)}`;
  const { exitCode, stdout, stderr } = await startInVain({ NODE_OPTIONS, DRAIN_MS: "0" });
  expect(stdout).toContain("listening on");
  expect(stderr).toMatch(/"draining".*\n.*"stopped"/);
  expect(exitCode).toBe(0);
});

it("W27: a hangup without a terminal, as under nohup, ends nothing", async () => {
  const server = await startServer({ DRAIN_MS: "0" });
  for (const times of [1, 2]) {
    server.process.kill("SIGHUP");
    await expect
      .poll(() => server.stderr().match(/"hangup_ignored"/g)?.length, { timeout: 20_000 })
      .toBe(times);
  }
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect((await server.end("SIGTERM")).exitCode).toBe(0);
});

it("W27: a terminal that closes shuts the server down, with a drain", async () => {
  const folder = await makeTempFolder();
  const [log, pid] = [join(folder, "log"), join(folder, "pid")];
  const env = { PORT: "0", STORE_URL: "memory:", LOG: log, PID: pid };
  // `script` opens a terminal, which closes when it dies.
  const program = `echo $$ >"$PID"; exec "${process.execPath}" -C @tm/source "${MAIN}" 2>"$LOG"`;
  const words =
    process.platform === "darwin"
      ? ["-q", "/dev/null", "/bin/sh", "-c", program]
      : ["-qfc", program, "/dev/null"];
  const terminal = spawn("script", words, {
    cwd: folder,
    stdio: ["pipe", "pipe", "ignore"],
    env: { PATH: process.env["PATH"], SHELL: "/bin/sh", ...env },
  });
  onTestFinished(() => {
    terminal.kill("SIGKILL");
    if (existsSync(pid)) endProcess(Number(readFileSync(pid, "utf8")));
  });
  let screen = "";
  terminal.stdout.on("data", (bytes: Buffer) => (screen += bytes.toString()));
  await expect.poll(() => screen, { timeout: 20_000 }).toContain("listening on");
  terminal.kill("SIGKILL");
  await expect
    .poll(() => readFileSync(log, "utf8"), { timeout: 20_000 })
    .toMatch(/"draining".*\n.*"stopped"/);
});

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
