/** What the caller got wrong, in one line. The bin exits with 2. */
export class Misuse extends Error {
  override readonly name = "Misuse";
}
