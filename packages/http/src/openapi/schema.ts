/** A JSON schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** A reference to one of the schemas of the document. */
export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Describes an object. All members are required but those in `optional`. */
export function objectOf(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", required, properties };
}

/** A sequence or a cursor of events. */
export const sequence: Schema = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** The members of a run's state. */
export const STATE: Readonly<Record<"runStatus" | "currentPhase" | "lastSequence", Schema>> = {
  runStatus: schemaRef("RunStatus"),
  currentPhase: { type: ["string", "null"] },
  lastSequence: sequence,
};
