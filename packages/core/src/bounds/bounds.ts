/** For servers: the bounds of what one user has in flight, and reading the body of a request within them. */
export { ByteBuffer, tooLarge } from "./byte-buffer.ts";
export { piecesOf } from "./fetch-body.ts";
export type { Holding, InFlight } from "./in-flight.ts";
export { IN_FLIGHT_LIMITS, InFlights } from "./in-flight.ts";
export type { BodyRequest } from "./json-body.ts";
export { decodeJson, decodeUtf8, mediaType, readJsonBytes, refuseEncoded } from "./json-body.ts";
export { letGo, readPieces, startDeadline } from "./read-pieces.ts";
export type { WorkSize } from "./turns.ts";
export { Turns } from "./turns.ts";
