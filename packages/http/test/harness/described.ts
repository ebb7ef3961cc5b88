import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { openApiDocument } from "../../src/index.ts";

/** An answer or a body, as the document has it. */
export interface Described {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** The answers in the document, by path, method and status. */
export const document = openApiDocument() as {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly responses: Readonly<Record<string, Described>>;
            readonly requestBody?: Described;
          }
        >
      >
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};

/** The schemas, closed: an answer with a member that is not described does not fit. */
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
addFormats.default(ajv);
const closed = Object.entries(document.components.schemas).map(([name, schema]) => [
  name,
  "properties" in schema ? { ...schema, additionalProperties: false } : schema,
]);
ajv.addSchema({ $id: "document", components: { schemas: Object.fromEntries(closed) as object } });
ajv.addVocabulary(["components"]);

const compiled = new Map<string, ValidateFunction>();

/** The faults of a value by this schema: none if it fits. */
export function fits(schema: object, value: unknown): unknown {
  const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components');
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
  compiled.set(text, validate);
  return validate(value) ? [] : validate.errors;
}

/** A reference to one of the document's schemas. */
export function schemaOf(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}
