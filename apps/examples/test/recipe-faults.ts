import { expect, it } from "vitest";
import { openStream } from "./open-stream.ts";
import { startEdited } from "./start-edited.ts";
import { HASTY } from "./start-recipe.ts";

const WHY = "The sessions are away.";

/** Tests a recipe of one file when a user signs out, and when its authentication fails. */
export function testRecipeFaults(file: string): void {
  it("W26: a stream ends when its user signs out, since the session store is asked again", async () => {
    const { url, call, createRun, signIn } = await startEdited(file, [HASTY]);
    const cookie = await signIn();
    const stream = await openStream(`${url}${await createRun()}/stream`, { cookie });
    await stream.until("connected");
    expect((await call("DELETE", "/session", { headers: { cookie } })).ok).toBe(true);
    expect((await stream.until("error")).frame).toMatchObject({ code: "unauthenticated" });
    await stream.ended();
  });

  it("W3, W24: an error in its authentication is reported to its developer only", async () => {
    const { url, call, stderr } = await startEdited(file, [
      ["const token = tokenOf(request);", `throw new Error("${WHY}");`],
    ]);
    const answer = await call("GET", "/v1/agent-runs");
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain(WHY);
    // The status is 200 with an error frame, because an EventSource gives up at any other status and should come back.
    const stream = await openStream(`${url}/v1/agent-runs/r/stream`, { cookie: "session=any" });
    const { frame, data } = await stream.until("error");
    expect(frame).toMatchObject({ retryable: true });
    expect(data).not.toContain(WHY);
    await expect.poll(stderr).toContain(WHY);
  });
}

/** Ends a recipe whose clients keep their connections: Node itself would wait for them, here for longer than the test may take. */
export function testIdleClients(file: string): void {
  it("W27: after SIGTERM the recipe exits even if clients keep their connections", async () => {
    const { url, createRun, end, signIn } = await startEdited(file, [
      ["requestTimeout: 0", "requestTimeout: 0, keepAliveTimeout: 600_000"],
    ]);
    const cookie = await signIn();
    const stream = await openStream(`${url}${await createRun()}/stream`, { cookie });
    await stream.until("connected");
    const gone = end("SIGTERM");
    await stream.ended();
    expect(await gone).toBe(0);
  });
}
