/** What a JSON value has at least: `""` or `0` or `[]` or `true` for any of its type, of an object the members. */
export type Shape = "" | 0 | true | readonly [] | ObjectShape;

/** An object's {@link Shape}. */
export interface ObjectShape {
  readonly [name: string]: Shape;
}

/** Whether parsed JSON has this shape. It may have further members, as of a later server. */
export function fits(value: unknown, shape: Shape): boolean {
  if (value?.constructor !== shape.constructor) return false;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.entries(shape).every(([name, member]) => fits(members[name], member as Shape));
}
