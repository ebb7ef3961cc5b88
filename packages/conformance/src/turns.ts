/** Lets what else is ready run this many times: so even calls that begin at once meet at other points. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
