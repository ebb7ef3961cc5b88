import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { describeError } from "../src/describe-error.ts";
import { createLog } from "../src/log.ts";
import { call, openStream, sendRaw, signIn } from "./client.ts";
import { makeTempFolder, startServer } from "./start-server.ts";

describe("the log", () => {
  it("the log is one JSON line an event, and never holds a token, a cookie or a payload", async () => {
    const folder = await makeTempFolder();
    const token = "TOKEN-THAT-NO-LOG-MAY-SHOW";
    const payload = "PAYLOAD-THAT-NO-LOG-MAY-SHOW";
    const server = await startServer({
      API_TOKENS: `ada=${token}`,
      DRAIN_MS: "0",
      MAX_STREAMS: "100",
      SESSION_SECRET: "SECRET-OF-32-BYTES-THAT-NO-LOG-MAY-SHOW",
      STORE_URL: `sqlite:${join(folder, "runs.db")}`,
    });
    const runs = `${server.url}/v1/agent-runs`;
    const { cookie } = await signIn(server.url, token);
    await call(runs, token, "POST", { runId: "r", metadata: { payload } });
    await call(`${runs}/r/events`, token, "POST", { events: [{ eventType: "A", payload }] });
    await call(`${runs}/r/events`, token, "POST", { events: [{ eventType: payload, payload }] });
    await call(`${runs}/r/events?token=${payload}`, `${token}-wrong`);
    await fetch(`${runs}/r/events`, { method: "POST", headers: { cookie }, body: `{"${payload}` });
    await sendRaw(server.port, `GET /${payload} HTTP/1.1\r\nCookie: ${cookie}\x01\r\n\r\n`);
    const { frames } = await openStream(server.url, "r", cookie);
    await fetch(`${server.url}/v1/session`, { method: "DELETE", headers: { cookie } });
    const { stderr } = await server.end("SIGTERM");
    await frames;
    const events = stderr
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(["session_opened", "session_ended", "draining", "stopped"]);
    expect(stderr).not.toContain("NO-LOG-MAY-SHOW");
    expect(stderr).not.toContain(cookie.split("=")[1]?.slice(0, 20));
  });

  it("the log is lines for people on a terminal", () => {
    let said = "";
    createLog({ isTTY: true, write: (text) => (said += text) })("runs_purged", { runs: 3 });
    expect(stripVTControlCharacters(said)).toMatch(/^[\d:.]{12} runs_purged runs=3\n$/);
  });

  it("the log has the message of a system's or a driver's error, and only the name and the place of any other", () => {
    const driver = Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
    const outer = Object.assign(new Error("The store failed."), { code: "store_unavailable" });
    outer.cause = driver;
    expect(describeError(outer)).toMatchObject({
      code: "store_unavailable",
      message: "The store failed.",
      cause_code: "SQLITE_BUSY",
      cause_message: "database is locked",
    });
    let parsed: unknown;
    try {
      JSON.parse("secret");
    } catch (error) {
      parsed = error;
    }
    const said = describeError(parsed);
    expect(said).toMatchObject({ error: "SyntaxError" });
    expect(JSON.stringify(said)).not.toContain("secret");
  });
});
