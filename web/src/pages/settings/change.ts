import { useQueryClient } from "@tanstack/react-query";

import { notifyDone, notifyFailed } from "@/components/confirm";
import { proven } from "./proof";

/** Makes a change, with a fresh proof where it wants one; says what came of it, and reads again what it concerns. */
export function useChange(...queryKey: readonly unknown[]) {
  const queryClient = useQueryClient();
  return async (call: () => Promise<unknown>, done: string): Promise<boolean> => {
    let changed = true;
    try {
      await proven(call);
      notifyDone(done);
    } catch (error) {
      notifyFailed(error);
      changed = false;
    }
    await queryClient.invalidateQueries({ queryKey });
    return changed;
  };
}
