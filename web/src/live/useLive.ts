import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

import { connection } from "./connection";
import { stream, type LiveEvent } from "./stream";

/** Calls `listener` for each event of these types, and once with type `missed` where some may not have come.
 * `types`: a constant of the caller's module. */
export function useLive(types: readonly string[], listener: (event: LiveEvent) => void): void {
  const hear = useEffectEvent(listener);
  useEffect(() => stream.listen(types, (event) => hear(event)), [types]);
}

/** Whether the server can be reached. */
export function useOnline(): boolean {
  return useSyncExternalStore(connection.subscribe, () => connection.isOnline);
}
