import { describeValue } from "@tm/run-events-core/wire";

/** Explains an unknown path, also to a host that mounted the handler under a prefix. */
export function explainUnknown(path: string, basePath: string): string {
  if (path.indexOf(basePath) > 0)
    return `Expected a path that begins with ${basePath}, got one with a prefix. Set \`basePath\` of the handler to the path with its prefix, or let the framework cut the prefix off.`;
  const hint = path.startsWith(`${basePath}/`)
    ? ""
    : " If the client sent the whole path, the framework has cut it: mount the handler at the root.";
  return `Expected ${basePath} or a path below it that GET /openapi.json lists, got ${describeValue(path)}.${hint}`;
}
