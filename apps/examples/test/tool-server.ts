import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** One request to use a tool. */
interface ToolCall {
  readonly tool: string;
  readonly key: string;
}

/** A call that gets no answer yet. */
interface HeldCall {
  /** Resolves when the caller has gone. */
  readonly closed: Promise<unknown>;
  answer(): void;
}

/** The tools that the agent of the recipes uses. */
export interface ToolServer {
  readonly url: string;
  /** All calls so far, those that got no answer too. */
  readonly calls: ToolCall[];
  /** Leaves the tool's next call without an answer. @returns it, once it has come */
  hold(tool: string): Promise<HeldCall>;
  /** Fails all calls of the tool, or its next ones. */
  fail(tool: string, times?: number): void;
}

/** Starts a server of tools. It ends when the test has finished. */
export async function startTools(): Promise<ToolServer> {
  const calls: ToolCall[] = [];
  const holds = new Map<string, (call: HeldCall) => void>();
  const failures = new Map<string, number>();

  function take(request: IncomingMessage, response: ServerResponse): void {
    const tool = request.url?.slice(1) ?? "";
    calls.push({ tool, key: String(request.headers["idempotency-key"]) });
    const answer = (): void => void response.end(`${tool} done`);
    const left = failures.get(tool) ?? 0;
    failures.set(tool, left - 1);
    if (left > 0) response.writeHead(503);
    const hold = holds.get(tool);
    holds.delete(tool);
    if (hold === undefined) answer();
    else hold({ answer, closed: once(response, "close") });
  }

  const server = createServer(take).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    hold: (tool) => new Promise((resolve) => holds.set(tool, resolve)),
    fail: (tool, times = Infinity) => void failures.set(tool, times),
  };
}
