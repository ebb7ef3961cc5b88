import { createRunsStore } from "@tm/run-events-client/store";
import { expect, it } from "vitest";
import { record, startRunsServer } from "../runs-server.ts";
import { expectSnapshot, leaveNothing, watchStore } from "./watch-store.ts";

leaveNothing();

it.each(["the feed", "the list"])(
  "W48: after a failure of %s a later view asks again, even if an earlier one is still there: its user may have signed in",
  async (which) => {
    let isOut = true;
    const server = await startRunsServer({
      authenticate: (_request, wanted) =>
        isOut && (which === "the feed" || wanted === "any")
          ? null
          : { userId: "ada", credential: "session" },
    });
    const run = await record(server.runs, 1);
    const baseUrl = `http://127.0.0.1:${server.port}`;
    const own = { userId: "ada", credential: { cookie: "a=b" }, baseUrl };
    const early = watchStore(createRunsStore(own));
    const later = watchStore(createRunsStore(own));
    for (const list of [early, later]) {
      await expectSnapshot(list, { state: "failed" });
      expect(list.store.getSnapshot().error).toMatchObject({ code: "unauthenticated" });
    }
    isOut = false;
    later.leave();
    const again = watchStore(later.store);
    await expectSnapshot(again, { state: "live", error: null });
    await expect
      .poll(() => again.store.getSnapshot().runs.map(({ runId }) => runId))
      .toEqual([run]);
  },
);
