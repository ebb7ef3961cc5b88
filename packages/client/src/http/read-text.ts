import { unanswered } from "./server-errors.ts";

/** The most bytes of a refusal's body. A problem of a run-events server takes a few hundred. @see clause W3 in `WIRE.md` */
export const MOST_PROBLEM_BYTES = 65_536;

/**
 * The most bytes of an answer, and the most characters of a stream's message. A page of a run-events server takes about 4 MiB, or has one
 * event alone, whose payload takes 256 KiB unless the server's host has raised that.
 */
export const MOST_ANSWER_BYTES = 16_777_216;

/**
 * Reads an answer's body as text, however it is compressed, and keeps no more of it than a bound. The signal of the request ends a body
 * that has more.
 * @throws RunEventsError `store_unavailable`, retryable, if it has more bytes
 */
export async function readText({ body }: Response, mostBytes: number): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const value = (await reader?.read())?.value;
    if (value === undefined) return text + decoder.decode();
    bytes += value.length;
    if (bytes > mostBytes) {
      throw unanswered(
        `Expected an answer of ${mostBytes} bytes at most, got more: does another program answer?`,
      );
    }
    text += decoder.decode(value, { stream: true });
  }
}
