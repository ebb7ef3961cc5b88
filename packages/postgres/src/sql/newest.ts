/**
 * SQL: the newest runs with these values, from the index of these columns and `run_key`, in their order. It compares rows, and leaves out
 * what follows the last run with these values: otherwise the planner may take the order from the primary key, and read many other runs.
 * @param values by their columns
 * @param before the key that those of the runs are below
 */
export function newestRuns(
  runs: string,
  values: Readonly<Record<string, string>>,
  before: string,
  limit: string,
): string {
  const columns = [...Object.keys(values), "run_key"];
  const bound = [...Object.values(values), before];
  // The indexes of topics have no other runs.
  const isIndexed = "topic" in values ? " AND topic IS NOT NULL" : "";
  return `SELECT n.* FROM (
    SELECT * FROM ${runs} WHERE (${columns.join(", ")}) < (${bound.join(", ")})${isIndexed}
    ORDER BY ${columns.map((column) => `${column} DESC`).join(", ")} LIMIT ${limit}
  ) n WHERE ${Object.entries(values)
    .map(([column, value]) => `n.${column} = ${value}`)
    .join(" AND ")}`;
}
