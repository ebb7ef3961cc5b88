import { describe, expect, it } from "vitest";
import { startServer } from "./start-server.ts";

describe("the console's files", () => {
  it("W30: the console is a page that may load its own files and nothing else, and those files", async () => {
    const { url } = await startServer();
    const response = await fetch(`${url}/`);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).not.toMatch(/unsafe|data:|https?:|\*/);
    const page = await response.text();
    expect(page).not.toMatch(/https?:\/\/|<style|<script[^>]*>[^<]|<\w+[^>]* (style|on\w+)=/);
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
    expect(files).toHaveLength(3);
    for (const file of files) {
      const asset = await fetch(url + file);
      expect(asset.status, file).toBe(200);
      expect(asset.headers.get("cache-control")).toContain("immutable");
      expect(asset.headers.get("x-content-type-options")).toBe("nosniff");
    }
    expect((await fetch(`${url}/assets/nothing.js`)).status).toBe(404);
    expect((await fetch(`${url}/assets/..%2findex.html`)).status).toBe(404);
  });
});
