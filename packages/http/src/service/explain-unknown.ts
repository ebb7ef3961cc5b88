import { describeValue } from "@tm/run-events-core/wire";
import { ROOT_PATH } from "../routes/route.ts";

/** Explains an unknown path, also to a host that mounted the handler under a prefix. */
export function explainUnknown(path: string): string {
  return path.indexOf(ROOT_PATH) > 0
    ? `Expected a path that begins with ${ROOT_PATH}, got one with a prefix. Mount the handler so that the prefix is cut off.`
    : `Expected ${ROOT_PATH} or a path below it, got ${describeValue(path)}. If the client sent the whole path, the framework has cut it: mount the handler at the root.`;
}
