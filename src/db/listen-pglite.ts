import type { MortalPglite } from "./pglite.ts";

/** Inside one process no notification is ever missed. */
export async function listenPglite(
  channel: string,
  heard: (payload: string) => void,
  client: MortalPglite,
): Promise<() => Promise<void>> {
  const stop = await client.listen(channel, heard);
  return async () => {
    if (!client.closed) await stop();
  };
}
