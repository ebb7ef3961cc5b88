import type { RunEventsErrorCode } from "@tm/run-events-core";
import { type Schema, schemaRef } from "./schema.ts";
import { isChange, type Operation, problems } from "./operation.ts";

/** The names that a path may have between braces, each with its schema. */
const PARTS: Readonly<Record<string, string>> = { runId: "RunId", code: "ErrorCode" };

/** A session, by either of its cookies: that for http or that for https. @see clause W29 in `WIRE.md` */
export const BY_SESSION: readonly Schema[] = [{ session: [] }, { secureSession: [] }];

/** Error codes that follow from who may call. A failure of a live stream is a frame, not a status. @see clause W24 in `WIRE.md` */
const CODES: Readonly<Record<Operation["access"], readonly RunEventsErrorCode[]>> = {
  open: [],
  any: ["unauthenticated", "too_many_requests", "internal", "store_unavailable"],
  session: ["unauthenticated", "too_many_requests", "session_required", "cross_site_request"],
};

const SECURITY: Readonly<Record<Operation["access"], Schema>> = {
  open: { security: [] },
  // The document's top-level `security` allows any credential.
  any: {},
  session: { security: BY_SESSION },
};

/** Describes operations as the document's paths, in their order. */
export function describePaths(operations: readonly Operation[]): Readonly<Record<string, Schema>> {
  const paths: Record<string, Schema> = {};
  for (const operation of operations) {
    const { method, path } = operation;
    const item = paths[path] ?? { parameters: partsOf(path) };
    paths[path] = { ...item, [method.toLowerCase()]: describe(operation) };
  }
  return paths;
}

function partsOf(path: string): readonly Schema[] {
  return Object.entries(PARTS)
    .filter(([name]) => path.includes(`{${name}}`))
    .map(([name, schema]) => ({ name, in: "path", required: true, schema: schemaRef(schema) }));
}

function describe(operation: Operation): Schema {
  const { access, tag, id, summary, description, parameters = [], answers } = operation;
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(description === undefined ? {} : { description }),
    ...SECURITY[access],
    parameters: parameters.map(({ described }) => described),
    ...bodyOf(operation),
    responses: { ...answers, ...problems(codesOf(operation)) },
  };
}

function bodyOf({ body, contents = {} }: Operation): Schema {
  if (body === undefined) return {};
  const { name, isRequired } = body;
  const content = { "application/json": { schema: schemaRef(name) }, ...contents };
  return { requestBody: { required: isRequired, content } };
}

function codesOf(operation: Operation): readonly RunEventsErrorCode[] {
  const { access, path, codes = [] } = operation;
  const ofRun = path.includes("{runId}") ? (["not_found", "invalid_request"] as const) : [];
  const ofChange = isChange(operation) ? (["cross_site_request"] as const) : [];
  return [...CODES[access], ...ofRun, ...codes, ...ofChange];
}
