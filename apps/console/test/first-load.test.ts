import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { startServer } from "../../server/test/start-server.ts";
import { openConsole, useBrowser } from "./open-console.ts";

/** Until its list was live and a run took answers, it was 101 kB; until answers could be JSON, 103 kB. */
const MOST_BYTES = 105_000;

describe("the first load", () => {
  useBrowser();

  it("the first load is under 105 kB gzipped, and only from this server", async () => {
    const { url, page } = await openConsole();
    await page.getByLabel("Token").waitFor();
    const names = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => name),
    );
    const files = [`${url}/`, ...names.filter((name) => !name.includes("/v1/"))];
    expect(files.length).toBeGreaterThanOrEqual(3);
    expect(files.filter((file) => !file.startsWith(`${url}/`))).toEqual([]);
    const bodies = await Promise.all(
      files.map(async (file) => new Uint8Array(await (await fetch(file)).arrayBuffer())),
    );
    const bytes = bodies.reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  it("the first load is gzipped for clients that accept it, and plain for others", async () => {
    const { url } = await startServer();
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(await (await fetch(url)).text())?.[1] ?? "";
    const encodings = ["gzip, deflate", "br, gzip;q=0.5", "gzip;q=0", "identity"].map((accepted) =>
      fetch(url + script, { headers: { "accept-encoding": accepted } }).then(async (response) => [
        response.headers.get("content-encoding"),
        (await response.arrayBuffer()).byteLength,
      ]),
    );
    const [gzip, weighed, refused, plain] = await Promise.all(encodings);
    expect(gzip?.[0]).toBe("gzip");
    expect(weighed?.[0]).toBe("gzip");
    expect(refused?.[0]).toBe(null);
    expect(plain?.[0]).toBe(null);
    expect(new Set([gzip, weighed, refused, plain].map((one) => one?.[1])).size).toBe(1);
  });
});
