import { describeValue } from "@tm/run-events-core/wire";
import { ROOT_PATH, RUN_PATH } from "../routes/route.ts";
import { ROUTES } from "../routes/table.ts";

/** Explains an unknown path, also to a host that mounted the handler under a prefix. */
export function explainUnknown(path: string): string {
  if (path.startsWith(`${ROOT_PATH}/`))
    return `Expected one of these below ${RUN_PATH}: ${BELOW_RUN.join(", ")}; got ${describeValue(path)}.`;
  return path.indexOf(ROOT_PATH) > 0
    ? `Expected a path that begins with ${ROOT_PATH}, got one with a prefix. Mount the handler so that the prefix is cut off.`
    : `Expected ${ROOT_PATH} or a path below it, got ${describeValue(path)}. If the client sent the whole path, the framework has cut it: mount the handler at the root.`;
}

/** The last segments of the paths below a run, each once. */
const BELOW_RUN = [
  ...new Set(
    ROUTES.map(({ path }) => path)
      .filter((path) => path.startsWith(`${RUN_PATH}/`))
      .map((path) => path.slice(RUN_PATH.length + 1)),
  ),
];
