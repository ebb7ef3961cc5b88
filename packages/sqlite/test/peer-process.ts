// A process that a test starts: it obeys commands that come as messages, with one answer each. See peers.ts.
import { RunEventsError } from "@tm/run-events-core";
import { createRuledStore } from "./ruled-store.ts";
import { driverOf } from "./drivers.ts";
import { appendOf } from "@tm/run-events-test-servers/requests";
import type { AppendOutcome } from "../../core/src/rules/append.ts";
import type { PeerCommands, PeerFailure } from "./peers.ts";

const [driverName, file = ""] = process.argv.slice(2);
const db = driverOf(driverName).open(file);
const store = createRuledStore(db);

async function append(runId: string, value: unknown): Promise<AppendOutcome | undefined> {
  return (await store.append([appendOf(runId, value)]))[0];
}

const commands: PeerCommands = {
  ping: async () => null,
  migrate: () => store.migrate(),
  probe: () => store.probe(),
  append: ({ runId, value }) => append(runId, value),
  async record({ runId }) {
    let count = (await store.getRun(runId))?.lastSequence ?? 0;
    for (;;) {
      count += 1;
      await append(runId, count);
      process.send?.({ acknowledged: count });
    }
  },
  async hold() {
    db.exec("BEGIN IMMEDIATE");
    return null;
  },
  async release() {
    db.exec("COMMIT");
    return null;
  },
  async subscribe({ runId }) {
    await store.subscribe(runId, () => {}).ready;
    return null;
  },
  async disconnect() {
    setImmediate(() => process.disconnect());
    return null;
  },
};

function failureOf(error: unknown): PeerFailure {
  if (!(error instanceof RunEventsError)) return { code: null, message: String(error) };
  const { code, message, retryable, ambiguous } = error;
  return { code, message, retryable, ambiguous };
}

interface Call {
  readonly id: number;
  readonly command: keyof PeerCommands;
  readonly input: never;
}

process.on("message", ({ id, command, input }: Call) => {
  commands[command](input).then(
    (answer) => process.send?.({ id, answer: answer ?? null }),
    (error: unknown) => process.send?.({ id, failure: failureOf(error) }),
  );
});
process.send?.({ ready: true });
