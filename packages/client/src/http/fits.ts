/** The least that a JSON value must have. `""`, `0`, `[]` and `true` match any value of their type; an object lists members. */
export type Shape = "" | 0 | true | readonly [] | ObjectShape;

/** An object's {@link Shape}. */
export interface ObjectShape {
  readonly [name: string]: Shape;
}

/** Whether parsed JSON has this shape. A later server may send further members. */
export function fits(value: unknown, shape: Shape): boolean {
  if (value?.constructor !== shape.constructor) return false;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.entries(shape).every(([name, member]) => fits(members[name], member as Shape));
}
