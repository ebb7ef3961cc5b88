import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  type ProcessConformanceOptions,
  runProcessConformance,
} from "@tm/run-events-conformance/processes";
import { describe, expect, it, onTestFinished } from "vitest";
import type { OtherPlace } from "./processes/open-otherwise.ts";
import type { RemotePlace } from "./processes/open-remote.ts";
import { createRemoteDoors, EXEC_ARGV } from "./processes/remote-doors.ts";

type Asked = Pick<ProcessConformanceOptions<RemotePlace>, "profile" | "seed">;

/** Less than the 40 s after which the kit gives up an answer. */
const ABORT_MS = 20_000;

const others = {
  module: new URL("processes/open-otherwise.ts", import.meta.url),
  execArgv: EXEC_ARGV,
};

/**
 * Runs the first case of a clause on a healthy store.
 * @param onDestroy called with what was appended to each place: the runs with the texts of the events, in no order
 */
async function runOn(
  asked: Asked,
  clause: string,
  onDestroy: (appended: readonly string[]) => void,
): Promise<void> {
  const { server, ...doors } = createRemoteDoors(null);
  const cases = runProcessConformance({
    ...doors,
    ...asked,
    destroy(place) {
      const events = server()
        .written()
        .flatMap(({ key, value }) => {
          const [, runId] = /^run\/[^/]+\/([^/]+)\/.*\/log\//.exec(key) ?? [];
          // The value begins with the time, which is left out.
          return !runId || value === null ? [] : `${runId}${value.slice(value.indexOf(" "))}`;
        });
      onDestroy(events.toSorted());
      return doors.destroy(place);
    },
  });
  await cases.find((one) => one.clause === clause)?.run();
}

async function appendsOf(asked: Asked, clause: string): Promise<readonly string[]> {
  const all: string[] = [];
  await runOn(asked, clause, (appended) => void all.push(...appended));
  return all;
}

function ofFirstRound(appends: readonly string[]): readonly string[] {
  return appends.filter((one) => one.startsWith("r0-"));
}

describe("the seed", () => {
  it("decides what the processes do", async () => {
    const first = ofFirstRound(await appendsOf({ profile: "quick", seed: 7 }, "S1"));
    expect(first.length).toBeGreaterThan(40);
    expect(ofFirstRound(await appendsOf({ profile: "quick", seed: 7 }, "S1"))).toEqual(first);
    expect(ofFirstRound(await appendsOf({ profile: "quick", seed: 8 }, "S1"))).not.toEqual(first);
  });

  it.each([
    [{ seed: -5 }, "seed: -5"],
    [{}, /seed: -?\d+$/],
  ])("of %o is in the failure", async (asked, says) => {
    const [first] = runProcessConformance<OtherPlace>({
      name: "dying",
      ...others,
      ...asked,
      prepare: () => ({ kind: "dying" }),
      workers: 2,
    });
    const failure = first?.run();
    await expect(failure).rejects.toThrow(says);
    // A runner shows a cause beneath its message, which has all of it already.
    await expect(failure).rejects.not.toHaveProperty("cause");
  });
});

describe("the profile", () => {
  it.each([
    ["quick", 40],
    ["ci", 120],
    [undefined, 120],
  ] as const)(
    "%s lets each of two writers append as often as the docs say",
    async (profile, calls) => {
      const appends = await appendsOf(profile === undefined ? {} : { profile }, "S13");
      expect(appends).toHaveLength(2 * calls + 1);
    },
  );

  it("is refused if its name is unknown", () => {
    const profile = "toString" as "ci";
    expect(() => runProcessConformance({ ...createRemoteDoors(null), profile })).toThrow(
      "quick or ci",
    );
  });
});

it(
  "ends its processes, then destroys, when the runner gives up",
  async () => {
    const server = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const destroyed: OtherPlace[] = [];
    const [first] = runProcessConformance<OtherPlace>({
      name: "waiting",
      ...others,
      prepare: () => ({ kind: "waiting", port }),
      destroy: (place) => void destroyed.push(place),
      workers: 2,
    });
    const sockets: Socket[] = [];
    const creating = new Promise((resolve) => {
      server.on("connection", (socket) => {
        sockets.push(socket);
        socket.on("data", resolve);
      });
    });
    const controller = new AbortController();
    const outcome = first?.run({ signal: controller.signal });
    await creating;
    // The system closes them with their processes, as errors if need be.
    const ends = sockets.map((socket) =>
      once(
        socket.on("error", () => {}),
        "close",
      ),
    );
    controller.abort(new Error("The runner has given up."));
    await expect(outcome).rejects.toThrow("The runner has given up.");
    await Promise.all(ends);
    expect(destroyed).toHaveLength(1);
  },
  ABORT_MS,
);
