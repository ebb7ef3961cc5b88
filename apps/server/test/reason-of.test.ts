import { once } from "node:events";
import { connect } from "node:net";
import { RunEventsError } from "@tm/run-events-core";
import { findFreePort } from "@tm/run-events-test-servers";
import { expect, it } from "vitest";
import { reasonOf } from "../src/reason-of.ts";

it("an unavailable store is explained by its driver's message, or else by that of the wrapper", () => {
  const driver = new Error("disk full", { cause: new Error("the driver's own business") });
  const failure = new RunEventsError("store_unavailable", "The database failed.", {
    cause: driver,
  });
  expect(reasonOf(failure)).toBe("disk full");
  expect(reasonOf(new RunEventsError("store_unavailable", "A newer schema."))).toBe(
    "A newer schema.",
  );
  expect(reasonOf("odd")).toBe("odd");
});

it("a host with several addresses is explained by each of them", async () => {
  const addresses = ["127.0.0.1", "127.0.0.2"];
  const socket = connect({
    port: await findFreePort(),
    host: "db",
    autoSelectFamily: true,
    lookup: (_host, _options, answer) =>
      answer(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      ),
  });
  const error = await once(socket, "connect").catch((reason: unknown) => reason);
  for (const address of addresses) expect(reasonOf(error)).toContain(`ECONNREFUSED ${address}`);
});
