import { expect } from "vitest";
import { openStream } from "./open-stream.ts";
import { startEdited } from "./start-edited.ts";

const WHY = "The sessions are away.";

/** Lets the recipe's authentication fail: the client gets no details, its developer does. */
export async function reportsItsErrors(file: string): Promise<void> {
  const { url, call, stderr } = await startEdited(file, [
    ["const token = tokenOf(request);", `throw new Error("${WHY}");`],
  ]);
  const answer = await call("GET", "/v1/agent-runs");
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain(WHY);
  // An EventSource gives up at any other status, and is to come back.
  const stream = await openStream(`${url}/v1/agent-runs/r/stream`, { cookie: "session=any" });
  const { frame, data } = await stream.until("error");
  expect(frame).toMatchObject({ retryable: true });
  expect(data).not.toContain(WHY);
  await expect.poll(stderr).toContain(WHY);
}
