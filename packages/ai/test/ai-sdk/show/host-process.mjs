import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { goOn, isRunning } from "./model.mjs";

// Serves a page and its chats: `node host-process.mjs PROGRAM PORT`. The script of the page is that of the environment.
const [, , program = "", port = ""] = process.argv;
const { handle, close } = await import(program);
const { readFile } = await import("node:fs/promises");
const script = await readFile(process.env.PAGE_SCRIPT ?? "", "utf8");
const PAGE = `<!doctype html><title>Chat</title><div id="root"></div><script type="module" src="/script.js"></script>`;

async function answer(request) {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/chat/")) {
    return new Response(PAGE, { headers: { "content-type": "text/html" } });
  }
  if (pathname === "/script.js") {
    return new Response(script, { headers: { "content-type": "text/javascript" } });
  }
  if (pathname === "/model/go") goOn();
  if (pathname.startsWith("/model/")) return Response.json({ isRunning: isRunning() });
  return handle(request);
}

const listen = getRequestListener(answer);
const server = createServer((request, response) => void listen(request, response));
server.listen(Number(port), "127.0.0.1", () => process.send?.("ready"));
process.on("SIGTERM", () => {
  server.close();
  void close().finally(() => process.exit(0));
});
