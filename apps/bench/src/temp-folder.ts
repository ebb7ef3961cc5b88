import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder below the system's temp folder. It is removed with all that is in it when the scope ends. */
export async function createTempFolder(scope: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-bench-"));
  scope.defer(() => rm(folder, { recursive: true }));
  return folder;
}
