import { fileURLToPath } from "node:url";
import { rolldown, type RolldownOutput } from "rolldown";

const ENTRY = "entry";

/** The options of a bundle, besides its entry. */
export interface BundleOptions {
  /** Packages to leave out. */
  readonly external?: readonly string[];
  /** Further modules, by the name that imports them. */
  readonly modules?: Readonly<Record<string, string>>;
  /** Whether to leave out what is loaded only when it is needed. */
  readonly isFirstLoad?: boolean;
}

/**
 * Bundles a module for browsers, with all that it imports, and minifies it.
 * @param code may import this package by its name
 */
export async function bundle(code: string, options: BundleOptions = {}): Promise<string> {
  const { external = [] } = options;
  const modules: Readonly<Record<string, string>> = { ...options.modules, [ENTRY]: code };
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
    transform: {
      define: {
        "process.env.NODE_ENV": '"development"',
        __VUE_OPTIONS_API__: "false",
        __VUE_PROD_DEVTOOLS__: "false",
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
      },
    },
    // "use client" is for frameworks with server components: a bundle for the browser needs none.
    onLog: (level, log, handle) => log.code === "MODULE_LEVEL_DIRECTIVE" || handle(level, log),
    plugins: [
      {
        name: "entry",
        async resolveId(id, importer) {
          if (Object.hasOwn(modules, id)) return `\0${id}.tsx`;
          if (importer?.startsWith("\0") !== true || external.includes(id)) return undefined;
          // These modules are in no folder: their imports are found from here.
          return paths[id] ?? this.resolve(id, import.meta.filename, { skipSelf: true });
        },
        load: (id) => modules[id.slice(1, -".tsx".length)],
      },
    ],
  });
  try {
    const { output } = await build.generate({
      format: "esm",
      minify: true,
      codeSplitting: options.isFirstLoad === true,
      // As in a page's bundle. Those that are left are marks for a bundler.
      comments: false,
    });
    return firstLoad(output);
  } finally {
    await build.close();
  }
}

/** The code of the entry, and of the files that it loads at once. */
function firstLoad([entry, ...others]: RolldownOutput["output"]): string {
  const chunks = new Map([entry, ...others].map((one) => [one.fileName, one]));
  const loaded = new Set([entry.fileName]);
  for (const name of loaded) {
    const chunk = chunks.get(name);
    if (chunk?.type === "chunk") for (const next of chunk.imports) loaded.add(next);
  }
  return [...loaded]
    .map((name) => chunks.get(name))
    .map((one) => (one?.type === "chunk" ? one.code : ""))
    .join("");
}
