import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { type RecipeProcess, startRecipeProcess } from "./recipe-process.ts";

const run = promisify(execFile);
const PACKAGES = join(import.meta.dirname, "../../../packages");
const NEXT = createRequire(import.meta.url).resolve("next/dist/bin/next");

/** The handler again, at paths that the recipe's `proxy.js` does not leave out. */
const BEHIND_PROXY = `import { openRunEvents } from "../../../lib/run-events.js";

export async function POST(request) {
  const { handler } = await openRunEvents();
  return handler.fetch(new Request(request.url.replace("/behind-proxy", ""), request));
}
`;

/** A page of server components around the component of the client's README. */
const LAYOUT = `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}
`;
const PAGE = `import { Run } from "./run.jsx";

export default async function Page({ params }) {
  return <Run runId={(await params).runId} />;
}
`;

/** The Next.js recipe, built. */
export interface NextApp {
  start(): Promise<RecipeProcess>;
  remove(): Promise<void>;
}

/**
 * Builds the recipe in a separate folder, with our packages as npm would install them: compiled. In addition to its paths,
 * POST is also served under `/behind-proxy`, and `/runs/{runId}` shows a run with the hook.
 */
export async function buildNextApp(): Promise<NextApp> {
  const folder = await mkdtemp(join(import.meta.dirname, ".snippet-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true });
  try {
    await cp(join(import.meta.dirname, "../src/next"), folder, { recursive: true });
    const behind = join(folder, "app/behind-proxy/[...path]");
    await mkdir(behind, { recursive: true });
    await writeFile(join(behind, "route.js"), BEHIND_PROXY);
    await writePage(folder);
    for (const name of ["core", "http", "sqlite", "client"]) {
      const target = join(folder, "node_modules/@tm", `run-events-${name}`);
      const source = join(PACKAGES, name);
      await run("tsc", ["-p", source, "--outDir", join(target, "dist")]);
      if (name === "core") await bundleCore(source, join(target, "dist"));
      await cp(join(source, "package.json"), join(target, "package.json"));
    }
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" } as const;
    await run(process.execPath, [NEXT, "build"], { cwd: folder, env });
  } catch (error) {
    await remove();
    throw error;
  }
  return { start: () => startRecipeProcess([NEXT, "start"], folder), remove };
}

async function writePage(folder: string): Promise<void> {
  const readme = await readFile(join(PACKAGES, "client/README.md"), "utf8");
  const component = /<!-- snippet: run\.jsx -->\n+```jsx\n(.*?)^```$/ms.exec(readme)?.[1];
  if (component === undefined) throw new TypeError("Expected the client's README to show run.jsx");
  const page = join(folder, "app/runs/[runId]");
  await mkdir(page, { recursive: true });
  await writeFile(join(folder, "app/layout.jsx"), LAYOUT);
  await writeFile(join(page, "page.jsx"), PAGE);
  await writeFile(join(page, "run.jsx"), component);
}

/** Core is published as one file, as its `build` script makes it. */
async function bundleCore(source: string, dist: string): Promise<void> {
  const rolldown = join(source, "node_modules/.bin/rolldown");
  const entries = [
    "src/index.ts",
    "src/index-store.ts",
    "src/index-wire.ts",
    "--platform",
    "neutral",
  ];
  await run(rolldown, [...entries, "--dir", dist, "--chunk-file-names", "shared.js"], {
    cwd: source,
  });
}
