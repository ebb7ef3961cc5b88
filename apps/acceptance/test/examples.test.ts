import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { ownedByAll } from "../../server/test/start-server.ts";
import { readExamples } from "../src/read-examples.ts";
import type { ExampleContext, ExampleFrame } from "./example-frame.ts";
import { EXAMPLE_FRAMES } from "./example-frames.ts";
import { startServer, TOKEN } from "./server-process.ts";
import { makeTempFolder } from "./temp-folder.ts";

/** Imports resolve in this folder as they do for a user. */
const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const examples = readExamples();

/** The name of an example's file, without its extension. */
function fileOf(place: string): string {
  return place.replaceAll(/\W+/g, "-");
}

/** A module whose `perform` is the example with what it needs. */
function encodeProgram(
  { imports, before = "", after = "" }: ExampleFrame,
  example: string,
): string {
  return `${imports}
import type { ExampleContext } from "../example-frame.ts";

export async function perform({ url, token, tokens, folder, postgresUrl, redisUrl, onEnd }: ExampleContext) {
${before}
${example}
${after}
}
`;
}

const TSC = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));

it("every example has what it needs to be a program, and no more programs are there", () => {
  expect([...examples.keys()].toSorted()).toEqual(Object.keys(EXAMPLE_FRAMES).toSorted());
});

it("every example compiles", async () => {
  for (const [place, frame] of Object.entries(EXAMPLE_FRAMES)) {
    const program = encodeProgram(frame, examples.get(place) ?? "");
    await writeFile(join(folder, `${fileOf(place)}.ts`), program);
  }
  const config = {
    extends: "../../../../tsconfig.base.json",
    compilerOptions: {
      noEmit: true,
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      types: ["node"],
    },
    include: ["*.ts"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiled = await promisify(execFile)(process.execPath, [TSC, "-p", folder]).then(
    () => "",
    ({ stdout }: { readonly stdout: string }) => stdout,
  );
  expect(compiled).toBe("");
});

const TOKENS = [TOKEN, "a-token-of-bob"] as const;
const owner = ownedByAll();
let url = "";
beforeAll(async () => {
  const env = { API_TOKENS: `ada=${TOKENS[0]},bob=${TOKENS[1]}` };
  ({ url } = await startServer({ storeUrl: "memory:", env, owner }));
});

async function openContext(): Promise<ExampleContext> {
  return {
    url,
    token: TOKEN,
    tokens: TOKENS,
    folder: await makeTempFolder(),
    async postgresUrl() {
      const server = await startPostgres();
      onTestFinished(() => server.close());
      return server.createDatabase();
    },
    async redisUrl() {
      const server = await startRedis();
      onTestFinished(() => server.close());
      return server.url;
    },
    onEnd: (end) => onTestFinished(async () => void (await end())),
  };
}

const runnable = Object.entries(EXAMPLE_FRAMES).filter(([, { result }]) => result !== undefined);

it.each(runnable)("the example runs: %s", async (place, frame) => {
  const file = join(folder, `${fileOf(place)}-run.ts`);
  await writeFile(file, encodeProgram(frame, examples.get(place) ?? ""));
  const { perform } = (await import(/* @vite-ignore */ file)) as {
    readonly perform: (context: ExampleContext) => Promise<unknown>;
  };
  expect(await perform(await openContext())).toEqual(frame.result);
});
