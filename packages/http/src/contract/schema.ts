/** A JSON schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** A reference to one of the schemas of the document. */
export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Describes an object. A name with a question mark after it is that of an optional member; all others are required. */
export function objectOf<Name extends string>(members: Readonly<Record<Name, Schema>>): Schema {
  const all = Object.entries<Schema>(members);
  const required = all.map(([name]) => name).filter((name) => !name.endsWith("?"));
  const properties = Object.fromEntries(
    all.map(([name, schema]) => [name.replace(/\?$/, ""), schema]),
  );
  return { type: "object", required, properties };
}

/** A sequence or a cursor of events. */
export const sequence: Schema = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
export const fence: Schema = { ...sequence, minimum: 1 };
export const time: Schema = { type: "string", format: "date-time" };

/** A cursor as text. */
export const CURSOR: Schema = { type: "string", pattern: "^(0|[1-9]\\d*)$" };

/** A run's topic. @see clause W34 in `WIRE.md` */
export const TOPIC: Schema = { type: "string", pattern: "^[^\\p{Cc}\\p{Cs}]{1,200}$" };

/** @see clause W44 in `WIRE.md` */
export const WORKER_NAME: Schema = { type: "string", pattern: "^[^\\p{Cc}\\p{Cs}]{1,100}$" };

/** The members of a run's state. */
export const STATE: Readonly<Record<"runStatus" | "currentPhase" | "lastSequence", Schema>> = {
  runStatus: schemaRef("RunStatus"),
  currentPhase: { type: ["string", "null"] },
  lastSequence: sequence,
};
