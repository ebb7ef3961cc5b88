/** Follows one connection and takes the notifications out of what the server sends. */
export interface NotificationFilter {
  /** Follows what the client sends; every chunk of it, in order. */
  readClient(chunk: Buffer): void;
  /** Every chunk of what the server sends, in order. @returns what of it the client gets */
  filterServer(chunk: Buffer): Buffer;
}
