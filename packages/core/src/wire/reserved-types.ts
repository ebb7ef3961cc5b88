/**
 * The types of events in which `@tm/run-events-ai` keeps chats. Only code on the server may write them: its readers rely on their form, so
 * a request that appends one is refused.
 * @see clause W39 in `WIRE.md` of `@tm/run-events-http`
 */
export const RESERVED_TYPES = ["UI_CHUNKS", "UI_MESSAGE", "UI_PART"] as const;
