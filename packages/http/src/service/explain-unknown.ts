import { describeValue } from "@tm/run-events-core/wire";
import { RUN_PATH } from "../routes/route.ts";
import { ROUTES } from "../routes/table.ts";

/** Explains an unknown path, also to a host that mounted the handler under a prefix. */
export function explainUnknown(path: string, basePath: string): string {
  if (path.startsWith(`${basePath}/`))
    return `Expected one of these below ${basePath}/{runId}: ${BELOW_RUN.join(", ")}; got ${describeValue(path)}.`;
  return path.indexOf(basePath) > 0
    ? `Expected a path that begins with ${basePath}, got one with a prefix. Set \`basePath\` of the handler to the path with its prefix, or let the framework cut the prefix off.`
    : `Expected ${basePath} or a path below it, got ${describeValue(path)}. If the client sent the whole path, the framework has cut it: mount the handler at the root.`;
}

/** The last segments of the paths below a run, each once. */
const BELOW_RUN = [
  ...new Set(
    ROUTES.map(({ path }) => path)
      .filter((path) => path.startsWith(`${RUN_PATH}/`))
      .map((path) => path.slice(RUN_PATH.length + 1)),
  ),
];
