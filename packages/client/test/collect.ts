/** The sequences of all events that a follower hands over. */
export async function collect(
  follower: AsyncIterable<{ readonly sequence: number }>,
): Promise<readonly number[]> {
  const sequences: number[] = [];
  for await (const { sequence } of follower) sequences.push(sequence);
  return sequences;
}
