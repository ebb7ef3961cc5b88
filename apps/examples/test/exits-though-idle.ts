import { expect } from "vitest";
import { openStream } from "./open-stream.ts";
import { startEdited } from "./start-edited.ts";

/** Ends a recipe whose clients keep their connections: Node itself would wait for them, here for longer than the test may take. */
export async function exitsThoughIdle(file: string): Promise<void> {
  const { url, createRun, end, signIn } = await startEdited(file, [
    ["requestTimeout: 0", "requestTimeout: 0, keepAliveTimeout: 600_000"],
  ]);
  const stream = await openStream(`${url}${await createRun()}/stream`, { cookie: await signIn() });
  await stream.until("connected");
  const gone = end("SIGTERM");
  await stream.ended();
  expect(await gone).toBe(0);
}
