import { useQueryClient } from "@tanstack/react-query";

import { confirm, notifyDone, notifyFailed, type Question } from "@/components/confirm";
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

/** The same for what cannot be taken back: asks first. Whether it was done. */
export function useRemoval(...queryKey: readonly unknown[]) {
  const change = useChange(...queryKey);
  return async (question: Omit<Question, "dangerous">, call: () => Promise<unknown>, done: string): Promise<boolean> =>
    (await confirm({ ...question, dangerous: true })) !== undefined && (await change(call, done));
}

/** The same for what a dialogue has gathered: what fails is thrown, for the dialogue to show, and else it is closed. */
export function useSaving(onClose: () => void, ...queryKey: readonly unknown[]) {
  const queryClient = useQueryClient();
  return async <Made,>(call: () => Promise<Made>, done: (made: Made) => string): Promise<void> => {
    notifyDone(done(await proven(call)));
    await queryClient.invalidateQueries({ queryKey });
    onClose();
  };
}
