import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** A worker's module and everything that it imports, as one script. Fails for an import of a module of Node. */
export async function bundleWorker(input: URL): Promise<string> {
  const build = await rolldown({
    input: fileURLToPath(input),
    platform: "browser",
    resolve: { conditionNames: ["@tm/source", "workerd", "import", "default"] },
  });
  try {
    const { output } = await build.generate({ format: "esm" });
    return output[0].code;
  } finally {
    await build.close();
  }
}
