import { join } from "node:path";
import { startPostgres, startRedis, startTcpProxy } from "@tm/run-events-test-servers";
import { describe, it, onTestFinished } from "vitest";
import { call } from "./api.ts";
import { HEARTBEAT_MS, measureCrossing } from "./measure-crossing.ts";
import { startServer } from "./server-process.ts";
import { makeTempFolder } from "./temp-folder.ts";

const STORES = [
  { name: "postgres", start: startPostgres },
  { name: "redis", start: startRedis },
] as const;
const WITH_NOTIFICATIONS = 100;
const WITHOUT_NOTIFICATIONS = 10;

it("S13: two servers on one SQLite file: a stream on one has each append through the other", async ({
  annotate,
}) => {
  const storeUrl = `sqlite:${join(await makeTempFolder(), "run-events.db")}`;
  const settings = { storeUrl, env: { HEARTBEAT_MS: String(HEARTBEAT_MS) } };
  const [reading, writing] = [await startServer(settings), await startServer(settings)];
  await call(writing.url, "POST", "/v1/agent-runs", { runId: "shared" });
  await annotate(await measureCrossing(reading.url, writing.url, "shared", WITH_NOTIFICATIONS));
});

describe.each(STORES)("two servers on one $name", ({ name, start }) => {
  async function startPair() {
    const store = await start();
    onTestFinished(() => store.close());
    const proxy = await startTcpProxy({ to: store });
    onTestFinished(() => proxy.close());
    const url = new URL(store.url);
    url.port = String(proxy.port);
    const settings = { storeUrl: url.href, env: { HEARTBEAT_MS: String(HEARTBEAT_MS) } };
    const [reading, writing] = [await startServer(settings), await startServer(settings)];
    await call(writing.url, "POST", "/v1/agent-runs", { runId: "shared" });
    return { proxy, reading, writing };
  }

  it("S13: a stream on one has each append through the other", async ({ annotate }) => {
    const { reading, writing } = await startPair();
    await annotate(await measureCrossing(reading.url, writing.url, "shared", WITH_NOTIFICATIONS));
  });

  it("S13: a stream on one has each append through the other, even with every notification lost", async ({
    annotate,
  }) => {
    const { proxy, reading, writing } = await startPair();
    proxy.dropNotifications(name);
    await annotate(
      await measureCrossing(reading.url, writing.url, "shared", WITHOUT_NOTIFICATIONS),
    );
  });

  it("S13: a stream on one has each append through the other, even when notifications are lost from some time on", async ({
    annotate,
  }) => {
    const { proxy, reading, writing } = await startPair();
    await measureCrossing(reading.url, writing.url, "shared", WITHOUT_NOTIFICATIONS);
    await call(writing.url, "POST", "/v1/agent-runs", { runId: "later" });
    proxy.dropNotifications(name);
    await annotate(await measureCrossing(reading.url, writing.url, "later", WITHOUT_NOTIFICATIONS));
  });
});
