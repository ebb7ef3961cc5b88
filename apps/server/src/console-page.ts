import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Reply } from "@tm/run-events-http";

/**
 * The console as an answer: one file with its own style and script, which alone the page may run, and which may talk to this
 * server alone.
 * @see W30
 */
export function readConsolePage(): Reply {
  const body = readFileSync(new URL("./console.html", import.meta.url), "utf8");
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(body, "style")}`,
    `script-src ${hashOf(body, "script")}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "content-security-policy": policy.join("; "),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
    body,
  };
}

/** The CSP source that lets the page's one element of this name in. */
function hashOf(page: string, element: "style" | "script"): string {
  const text = new RegExp(`<${element}>([^]*?)</${element}>`).exec(page)?.[1];
  if (text === undefined) throw new TypeError(`Expected the console page to have a ${element}`);
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
