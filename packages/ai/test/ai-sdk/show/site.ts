import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort, startTcpProxy, type TcpProxy } from "@tm/run-events-test-servers";
import { rolldown } from "rolldown";
import { readSnippets } from "../../snippets.ts";

/** A chat on one or more servers of one store. The tab with the number n uses the server with the number n, if there are so many. */
export interface ChatSite {
  readonly servers: number;
  /** The address of a server, for a browser. It stays the same if the server is replaced. */
  origin(server: number): string;
  /** Ends a server, and starts it again; if there is another one, that one takes its place. */
  replace(server: number, signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** Breaks all connections to the servers. None can be opened until `join` is called. */
  part(): Promise<void>;
  /** Lets connections through again: each address leads to its own server. */
  join(): void;
  /** Lets waiting answers go on. */
  goOn(): Promise<void>;
  /** Whether the model answers. */
  isModelRunning(): Promise<boolean>;
  close(): Promise<void>;
}

/** A server's process, and the address that leads to it. */
interface Server {
  readonly port: number;
  readonly proxy: TcpProxy;
  process: ChildProcess;
}

const HOST = "127.0.0.1";

/** Renders the page of the docs. */
const RUN_PAGE = `
import { useRunChat } from "./chat.jsx";
import { chatId, render, View } from "./view.jsx";

const Page = () => <View {...useRunChat(chatId)} />;
render(<Page />);
`;

const FILES = ["host-process.mjs", "model.mjs", "store.mjs", "yours.mjs", "view.jsx"];

/** The programs of a chat, in a folder. */
interface Programs {
  /** Starts a server on a port. */
  start(port: number): Promise<ChildProcess>;
  remove(): Promise<void>;
}

async function writePrograms(storeUrl: string): Promise<Programs> {
  // Next to this file, so that the packages resolve as they do for a user.
  const folder = await mkdtemp(join(import.meta.dirname, ".site-"));
  for (const name of FILES) await cp(join(import.meta.dirname, name), join(folder, name));
  const snippets = readSnippets("AI-SDK-PAGE.md");
  for (const [name, code] of [...snippets, ["page.jsx", RUN_PAGE] as const]) {
    await writeFile(join(folder, name), code);
  }
  const script = join(folder, "script.js");
  await writeFile(script, await bundle(join(folder, "page.jsx")));
  const env = { ...process.env, STORE_URL: storeUrl, PAGE_SCRIPT: script };
  return {
    async start(port) {
      const args = [join(folder, "server.mjs"), String(port)];
      const execArgv = ["-C", "@tm/source"];
      const started = fork(join(folder, "host-process.mjs"), args, { env, execArgv });
      await once(started, "message");
      return started;
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

async function startServer(programs: Programs): Promise<Server> {
  const port = await findFreePort();
  const proxy = await startTcpProxy({ to: { host: HOST, port } });
  return { port, proxy, process: await programs.start(port) };
}

/** Starts a chat. @param storeUrl of a store that all its servers share */
export async function startChatSite(storeUrl: string, servers: number): Promise<ChatSite> {
  const programs = await writePrograms(storeUrl);
  const all: Server[] = [];
  for (let index = 0; index < servers; index += 1) all.push(await startServer(programs));
  const at = (index: number): Server => {
    const server = all[index % servers];
    if (server === undefined)
      throw new Error(`Expected a server with the number ${index}, got none.`);
    return server;
  };
  /** Asks all servers that are there. */
  const askModel = async (call: string): Promise<readonly boolean[]> => {
    const there = all.filter(({ process: { exitCode, signalCode } }) => !(exitCode ?? signalCode));
    return Promise.all(
      there.map(async ({ port }) => {
        const response = await fetch(`http://${HOST}:${port}/model/${call}`);
        return ((await response.json()) as { readonly isRunning: boolean }).isRunning;
      }),
    );
  };
  return {
    servers,
    origin: (index) => `http://${HOST}:${at(index).proxy.port}`,
    async replace(index, signal) {
      const server = at(index);
      const exit = once(server.process, "exit");
      server.process.kill(signal);
      await exit;
      server.proxy.cut();
      server.proxy.moveTo({ host: HOST, port: at(index + 1).port });
      server.process = await programs.start(server.port);
    },
    async part() {
      const nowhere = { host: HOST, port: await findFreePort() };
      for (const { proxy } of all) {
        proxy.moveTo(nowhere);
        proxy.cut();
      }
    },
    join() {
      for (const { proxy, port } of all) proxy.moveTo({ host: HOST, port });
    },
    goOn: async () => void (await askModel("go")),
    isModelRunning: async () => (await askModel("state")).includes(true),
    async close() {
      for (const server of all) {
        server.process.kill("SIGKILL");
        await server.proxy.close();
      }
      await programs.remove();
    },
  };
}

async function bundle(input: string): Promise<string> {
  const build = await rolldown({
    input,
    platform: "browser",
    resolve: { conditionNames: ["@tm/source", "import", "browser"] },
    transform: { define: { "process.env.NODE_ENV": '"development"' } },
    onLog: (level, log, handle) => log.code === "MODULE_LEVEL_DIRECTIVE" || handle(level, log),
  });
  try {
    const { output } = await build.generate({ format: "esm", codeSplitting: false });
    return output[0].code;
  } finally {
    await build.close();
  }
}
