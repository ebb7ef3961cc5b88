import { OWED_WITH_WORKER, playLostEnd } from "@tm/run-events-test-servers/lost-end";
import { expect, it } from "vitest";
import { connect, openStore } from "../opened.ts";
import { lead, openReplicated } from "./lagging-replica.ts";

it("W46: after a failover to a lagging replica each reader that was ahead learns of it, however late, and no other one", async () => {
  const { master, replica, name, catchUp, lag } = await openReplicated();
  const {
    store: { inner: store },
  } = await openStore(name);
  const results = await playLostEnd(
    {
      store,
      async hold() {
        await catchUp();
        lag();
      },
      async lose() {
        await master.kill();
        await connect(replica).replicaof("NO", "ONE");
        lead(name, replica);
        return store;
      },
    },
    { hasWorker: true },
  );
  expect(results).toEqual(OWED_WITH_WORKER);
});
