import { expect, it, onTestFinished } from "vitest";
import type { Reply } from "../src/index.ts";
import { createNodeHandler, type HandlerStats } from "../src/node.ts";
import { eventually } from "./harness/eventually.ts";
import { openRuns, serve } from "./harness/host.ts";
import { encodeHead, openSocket, type RawSocket } from "./harness/raw-socket.ts";

const MOST = 3;

/** A host with the path `/USER` of its own. The work for that user ends when the gate opens. */
interface Host {
  readonly begun: string[];
  /** The number of responses that have closed. */
  closed(): number;
  readonly gate: PromiseWithResolvers<void>;
  inFlight(): HandlerStats["inFlight"];
  ask(user: string): Promise<RawSocket>;
}

async function openHost(): Promise<Host> {
  const runs = await openRuns();
  const handler = createNodeHandler({
    runs,
    authenticate: ({ headers }) => ({ userId: headers["user"] as string, credential: "bearer" }),
    maxRequestsPerUser: MOST,
  });
  const begun: string[] = [];
  let closed = 0;
  const gate = Promise.withResolvers<void>();

  const work = async (user: string): Promise<Reply> => {
    begun.push(user);
    await gate.promise;
    return { status: 200, headers: {}, body: "done" };
  };
  const { port } = await serve((request, response) => {
    const [, user = ""] = request.url?.split("/") ?? [];
    if (user === "v1") return handler.handle(request, response);
    response.once("close", () => (closed += 1));
    handler.answer(request, response, { GET: (_, within) => within(user, () => work(user)) });
  });
  onTestFinished(() => gate.resolve());
  return {
    begun,
    closed: () => closed,
    gate,
    inFlight: () => handler.stats().inFlight,
    ask: (user) => openSocket(port, encodeHead("GET", `/${user}`, { user: "ada" })),
  };
}

it("W49: a host's own work for a user counts as the user's requests do, until the response has closed", async () => {
  const host = await openHost();
  const sockets = [await host.ask("ada"), await host.ask("ada"), await host.ask("ada")];
  await eventually(() => expect(host.begun).toEqual(["ada", "ada", "ada"]));
  expect(host.inFlight().requests).toBe(MOST);
  const refused = await host.ask("ada");
  expect(await refused.until("too_many_requests")).toMatch(/^HTTP\/1\.1 429 [^]*retry-after: 1/i);
  // The handler's own paths have the same bound.
  const list = await host.ask("v1/agent-runs");
  expect(await list.until("too_many_requests")).toMatch(/^HTTP\/1\.1 429 /);
  await host.ask("bob");
  await eventually(() => expect(host.begun).toEqual(["ada", "ada", "ada", "bob"]));
  // A client that leaves before its work has ended.
  const before = host.closed();
  sockets[0]?.socket.destroy();
  await eventually(() => expect(host.closed()).toBe(before + 1));
  host.gate.resolve();
  await sockets[1]?.until("done");
  await eventually(() => expect(host.inFlight().requests).toBe(0));
  expect(await (await host.ask("ada")).until("done")).toMatch(/^HTTP\/1\.1 200 /);
});
