import type { Connection } from "./connection.ts";
import type { Followed } from "./followed.ts";
import { MARKS } from "./scripts/list.ts";
import { packScripts } from "./slots.ts";

/**
 * Reads what shows whether runs and owners have changed, in scripts of a few.
 * @param receive gets each mark
 * @param fail gets those that could not be read, with the error
 */
export async function readMarks(
  connection: Connection,
  all: readonly Followed[],
  receive: (followed: Followed, mark: string) => void,
  fail: (followed: Followed, error: unknown) => void,
): Promise<void> {
  const items = all.map((followed) => ({ ...named(followed), followed }));
  const scripts = packScripts(connection, items);
  await Promise.all(
    scripts.map(async (script) => {
      const some = script.map(({ item }) => item.followed);
      // The script has the runs first.
      const [runs, owners] = [some.filter(isRun), some.filter((one) => !isRun(one))];
      const { keys } = connection;
      const heads = runs.map((one) => keys.ofRun(named(one)).head);
      const lists = owners.map(({ subject }) => keys.lists(subject.ownerId, null, null));
      const values = [String(heads.length), String(lists[0]?.length ?? 1)];
      try {
        const marks = (await connection.run(
          MARKS,
          [...heads, ...lists.flat()],
          values,
        )) as string[];
        [...runs, ...owners].forEach((one, at) => receive(one, marks[at] ?? ""));
      } catch (error) {
        for (const one of some) fail(one, error);
      }
    }),
  );
}

function isRun({ subject }: Followed): boolean {
  return "runId" in subject;
}

function named({ subject }: Followed): { readonly ownerId: string; readonly runId: string } {
  return { runId: "", ...subject };
}
