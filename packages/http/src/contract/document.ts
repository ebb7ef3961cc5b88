import type { Operation } from "./operation.ts";
import { BY_SESSION, describePaths } from "./paths.ts";
import { SCHEMAS } from "./schemas.ts";

const DESCRIPTION = `Runs of agents as numbered, append-only events. One worker writes them; readers poll or follow them live.

Clause numbers (W1 to W50) are those of WIRE.md in the package. \`HEAD\` is answered wherever \`GET\` is. An unknown path is 404
\`not_found\`, a method that a path does not have 405 \`invalid_request\` with \`Allow\`; both are problems like all others.
Beyond what a user may have in flight every request with a credential is 429 \`too_many_requests\` with \`Retry-After\` (W49).
Limits are the defaults; a server may set others.`;

/** Describes operations as an OpenAPI 3.1 document. @see clause W30 in `WIRE.md` */
export function describeOperations(
  operations: readonly Operation[],
): Readonly<Record<string, unknown>> {
  return structuredClone({
    openapi: "3.1.0",
    info: {
      title: "run-events",
      version: "1.0.0",
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, ...BY_SESSION],
    tags: [
      { name: "writing", description: "Create runs, append events, end runs (W6 to W14)." },
      { name: "leases", description: "Claim a run, so that one worker writes to it (W31 to W33)." },
      { name: "polling", description: "Page by page, with any credential (W15 to W18)." },
      { name: "live stream", description: "Server-sent events, for a session (W19 to W28)." },
      { name: "description", description: "This document (W30)." },
    ],
    paths: describePaths(operations),
    components: {
      schemas: SCHEMAS,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "run_events_session",
          description: "The reference server's session over http (W29).",
        },
        secureSession: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-run_events_session",
          description:
            "The reference server's session over https, even if only a proxy in front speaks https (W29).",
        },
      },
    },
  });
}
