import { useState, type FormEvent } from "react";

export interface Sending {
  busy: boolean;
  failure: unknown;
  onSubmit: (event: FormEvent) => void;
}

/**
 * A form that is sent once nothing is missing. What fails is kept, to be shown where it was typed.
 *
 * `send` closes or leaves the form itself: until then its button stays busy, so that nothing is sent twice.
 */
export function useSending(missing: string | undefined, send: () => Promise<void>): Sending {
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (missing !== undefined) return;
    setBusy(true);
    setFailure(undefined);
    send().catch((error: unknown) => {
      setFailure(error);
      setBusy(false);
    });
  };
  return { busy, failure, onSubmit };
}
