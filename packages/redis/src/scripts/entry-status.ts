/**
 * Lua: the status of a live run after one of its events, from the fields of the event's entry. Only entries of a run that waited or
 * was queued then have it, as their last field.
 * @see clause S27 in `STORE.md`
 */
export const STATUS_AFTER_ENTRY_LUA = `
local function statusAfterEntry(fields)
  return fields[9] == 'runStatus' and fields[10] or fields[11] == 'runStatus' and fields[12] or 'running'
end
`;
