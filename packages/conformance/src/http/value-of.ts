import type fc from "fast-check";

/** The inputs that an arbitrary draws. */
export type ValueOf<Source> = Source extends fc.Arbitrary<infer Value> ? Value : never;
