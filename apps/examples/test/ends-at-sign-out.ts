import { expect } from "vitest";
import { openStream } from "./open-stream.ts";
import { startEdited } from "./start-edited.ts";
import { HASTY } from "./start-recipe.ts";

/** Signs a user out while their stream is open: the recipe has to ask its session store again, not the request. */
export async function endsAtSignOut(file: string): Promise<void> {
  const { url, call, createRun, signIn } = await startEdited(file, [HASTY]);
  const cookie = await signIn();
  const stream = await openStream(`${url}${await createRun()}/stream`, { cookie });
  await stream.until("connected");
  expect((await call("DELETE", "/session", { headers: { cookie } })).ok).toBe(true);
  expect((await stream.until("error")).frame).toMatchObject({ code: "unauthenticated" });
  await stream.ended();
}
