/** The statements that move all times of runs and events back. */
export function olderBy(hours: number, tablePrefix = "run_events_"): readonly string[] {
  const ms = hours * 3_600_000;
  return [
    `UPDATE ${tablePrefix}events SET created_at_ms = created_at_ms - ${ms}`,
    `UPDATE ${tablePrefix}runs SET updated_at_ms = updated_at_ms - ${ms}, due_ms = due_ms - ${ms},
      lease_expires_at_ms = lease_expires_at_ms - ${ms},
      extra = json_set(extra, '$.createdAtMs', extra ->> 'createdAtMs' - ${ms})`,
  ];
}
