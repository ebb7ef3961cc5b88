import { describeValue } from "@tm/run-events-core/wire";
import { ROOT_PATH } from "../routes/route.ts";

/** Tells a host that mounted the handler under a prefix why nothing is found. */
export function explainUnknown(path: string): string {
  return path.indexOf(ROOT_PATH) > 0
    ? `There is nothing at this path: something is in front of ${ROOT_PATH}. Mount the handler so that the prefix is cut off.`
    : `There is nothing at ${describeValue(path)}. Runs are at ${ROOT_PATH}. If the client asked for that, the framework in front has cut the path. Mount the handler at the root.`;
}
