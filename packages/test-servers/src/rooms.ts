import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A source file, with the imports that its text shows. */
export interface SourceFile {
  /** Below the folder that was read, such as `rules/event.ts`. */
  readonly path: string;
  /** The folder, or the path of a file that is in no folder. */
  readonly room: string;
  /** Without comments. */
  readonly text: string;
  /** The paths of the files that it imports. */
  readonly imports: readonly string[];
}

/** The rooms of a package: the folders of its sources. A room imports only rooms before it. */
export interface Rooms {
  /** Every room that has a file, sorted. */
  readonly names: readonly string[];
  /** Each pair of rooms with an import between them. */
  readonly arrows: readonly Arrow[];
  /** The longest chain of imports. */
  readonly floors: number;
  /** The imports from a room that does not come before. */
  readonly back: readonly Arrow[];
  /** Chains of imports from a file to itself. */
  readonly circles: readonly string[];
}

type Arrow = readonly [from: string, to: string];

/** Reads every TypeScript file below a folder. @param isDoor the files to leave out: a package's entries */
export async function readSources(
  folder: string,
  isDoor: (path: string) => boolean,
): Promise<readonly SourceFile[]> {
  const entries = await readdir(folder, { recursive: true });
  const paths = entries.filter((path) => path.endsWith(".ts") && !isDoor(path)).toSorted();
  return Promise.all(
    paths.map(async (path) => {
      const whole = await readFile(join(folder, path), "utf8");
      const text = whole.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
      const found = text.matchAll(/^(?:import|\} from|export)[^"]*"(\.[^"]+)";/gm);
      const imports = [...found].map(([, to = ""]) => join(dirname(path), to));
      return { path, room: path.includes("/") ? dirname(path) : path, text, imports };
    }),
  );
}

/** Finds the imports between the rooms of these files. @param order from the ground up */
export function roomsOf(files: readonly SourceFile[], order: readonly string[]): Rooms {
  const arrows = arrowsOf(files);
  const floorOf = new Map<string, number>();
  for (const room of order) {
    const below = arrows.filter(([from]) => from === room).map(([, to]) => floorOf.get(to) ?? 0);
    floorOf.set(room, Math.max(0, ...below) + 1);
  }
  return {
    names: [...new Set(files.map(({ room }) => room))].toSorted(),
    arrows,
    floors: Math.max(...floorOf.values()),
    back: arrows.filter(([from, to]) => order.indexOf(to) > order.indexOf(from)),
    circles: circlesOf(files),
  };
}

function arrowsOf(files: readonly SourceFile[]): readonly Arrow[] {
  const roomOf = new Map(files.map(({ path, room }) => [path, room]));
  const pairs = files.flatMap(({ room, imports }) =>
    imports.map((path) => [room, roomOf.get(path) ?? path] as const),
  );
  const between = pairs.filter(([from, to]) => from !== to);
  return [...new Map(between.map((pair) => [pair.join(" "), pair])).values()];
}

function circlesOf(files: readonly SourceFile[]): readonly string[] {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const circles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
    if (done.has(path) || trail.includes(path)) return;
    for (const next of importsOf.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  }
  for (const path of importsOf.keys()) visit(path, []);
  return circles;
}
