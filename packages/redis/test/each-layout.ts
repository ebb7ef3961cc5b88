import { startRedis } from "@tm/run-events-test-servers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe } from "vitest";

/**
 * Runs the same tests twice: with each key where one server has it, and with each key where a cluster would have it. Both have one server.
 * @param tests gets the way to the server's client, which is there once a test runs
 */
export function describeLayouts(
  title: string,
  tests: (asCluster: boolean, redis: () => Redis) => void,
): void {
  describe.each([
    ["one server", false],
    ["a cluster", true],
  ])(`${title}, as on %s`, (_, asCluster) => {
    let opened: Redis | undefined;
    let close: (() => Promise<void>) | undefined;
    beforeAll(async () => {
      const server = await startRedis();
      close = () => server.close();
      opened = new Redis(server.url);
    });
    afterAll(async () => {
      opened?.disconnect();
      await close?.();
    });
    tests(asCluster, () => {
      if (opened === undefined) throw new TypeError("Expected to be called within a test.");
      return opened;
    });
  });
}
