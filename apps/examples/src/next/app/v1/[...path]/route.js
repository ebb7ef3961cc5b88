import { openRunEvents } from "../../../lib/run-events.js";

const answer = async (request) => (await openRunEvents()).handler.fetch(request);
export { answer as DELETE, answer as GET, answer as HEAD, answer as OPTIONS };
export { answer as PATCH, answer as POST, answer as PUT };
