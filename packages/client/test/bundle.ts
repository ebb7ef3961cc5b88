import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const ENTRY = "entry";

/**
 * Bundles a module for browsers, with all that it imports, and minifies it.
 * @param code may import `client` and `client/react`
 */
export async function bundle(code: string, external: readonly string[] = []): Promise<string> {
  const paths: Readonly<Record<string, string>> = {
    client: fileURLToPath(new URL("../src/index.ts", import.meta.url)),
    "client/react": fileURLToPath(new URL("../src/react.ts", import.meta.url)),
  };
  const build = await rolldown({
    input: ENTRY,
    external: [...external],
    platform: "browser",
    resolve: { conditionNames: ["@tm/source", "import", "browser"] },
    transform: { define: { "process.env.NODE_ENV": '"development"' } },
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? `\0${ENTRY}.tsx` : paths[id]),
        load: (id) => (id === `\0${ENTRY}.tsx` ? code : undefined),
      },
    ],
  });
  try {
    const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
    return output[0].code;
  } finally {
    await build.close();
  }
}
