import { once } from "node:events";
import { connect } from "node:net";

/** Whether a program listens on this port of 127.0.0.1. */
export async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    // Refused: no program does.
    return false;
  } finally {
    socket.destroy();
  }
}
