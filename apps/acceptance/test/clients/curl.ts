import { type ChildProcess, spawn } from "node:child_process";
import { createParser } from "eventsource-parser";
import { createDelivery, type StreamClient } from "../stream-client.ts";

/** `curl -N` in a shell loop, as it were: run again with the last id, after the time that the server named. */
export const curl: StreamClient = {
  name: "curl",
  takesIdEarly: false,
  follow({ url, cookie }, leaves) {
    let child: ChildProcess;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let lastId = "";
    let retryMs = 1_000;
    const { following, deliver, end } = createDelivery(leaves, () => {
      stopped = true;
      clearTimeout(timer);
      child.kill();
    });
    const parser = createParser({
      onEvent({ id, data }) {
        if (stopped) return;
        if (id !== undefined) lastId = id;
        deliver(data);
      },
      onRetry: (ms) => (retryMs = ms),
    });

    function connect(): void {
      const resume = lastId === "" ? [] : ["--header", `Last-Event-ID: ${lastId}`];
      const options = ["--no-buffer", "--silent", "--write-out", "%{stderr}%{http_code}"];
      child = spawn("curl", [...options, "--header", `Cookie: ${cookie}`, ...resume, url]);
      const decoder = new TextDecoder();
      let status = "";
      child.stdout?.on("data", (bytes: Buffer) =>
        parser.feed(decoder.decode(bytes, { stream: true })),
      );
      child.stderr?.on("data", (bytes: Buffer) => (status += bytes.toString()));
      child.once("close", () => {
        parser.reset();
        if (stopped) return;
        // 000 means no answer at all.
        if (status === "200" || status === "000") timer = setTimeout(connect, retryMs);
        else end("refused");
      });
    }

    connect();
    return following;
  },
};
