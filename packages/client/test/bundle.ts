import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const ENTRY = "entry";
const MODULE = `\0${ENTRY}.tsx`;

/**
 * Bundles a module for browsers, with all that it imports, and minifies it.
 * @param code may import this package by its name
 */
export async function bundle(code: string, external: readonly string[] = []): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const paths: Readonly<Record<string, string>> = {
    "@tm/run-events-client": fileURLToPath(new URL("../src/index.ts", import.meta.url)),
    "@tm/run-events-client/react": fileURLToPath(new URL("../src/react.ts", import.meta.url)),
    "@tm/run-events-client/runs": fileURLToPath(new URL("../src/runs.ts", import.meta.url)),
    "@tm/run-events-client/store": fileURLToPath(new URL("../src/store.ts", import.meta.url)),
    "@tm/run-events-client/work": fileURLToPath(new URL("../src/work.ts", import.meta.url)),
  };
  const build = await rolldown({
    input: ENTRY,
    external: [...external],
    platform: "browser",
    resolve: { conditionNames: ["@tm/source", "import", "browser"] },
    transform: { define: { "process.env.NODE_ENV": '"development"' } },
    // "use client" is for frameworks with server components: a bundle for the browser needs none.
    onLog: (level, log, handle) => log.code === "MODULE_LEVEL_DIRECTIVE" || handle(level, log),
    plugins: [
      {
        name: "entry",
        resolveId(id, importer) {
          if (id === ENTRY) return MODULE;
          if (importer !== MODULE || external.includes(id)) return undefined;
          return paths[id] ?? resolve(id);
        },
        load: (id) => (id === MODULE ? code : undefined),
      },
    ],
  });
  try {
    const { output } = await build.generate({
      format: "esm",
      minify: true,
      codeSplitting: false,
      // As in a page's bundle. Those that are left are marks for a bundler.
      comments: false,
    });
    return output[0].code;
  } finally {
    await build.close();
  }
}
