import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { useMe } from "@/app/auth";
import { exactTime, relativeTime, shortTime } from "./times";

interface Props {
  at: string;
  /** Say how long ago instead of when. */
  relative?: boolean;
}

/** A time in the person's zone; the exact one is its title. */
export function Time({ at, relative = false }: Props) {
  const { i18n } = useTranslation();
  const { timeZone } = useMe();
  const now = useNow();
  const date = new Date(at);
  const text = relative ? relativeTime(date, now, i18n.language) : shortTime(date, now, i18n.language, timeZone);
  return (
    <time dateTime={at} title={`${exactTime(date, i18n.language, timeZone)}\n${at}`} className="numbers">
      {text}
    </time>
  );
}

const EVERY = 20_000;
let current = new Date();
const waiting = new Set<() => void>();
let clock: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  waiting.add(listener);
  clock ??= setInterval(() => {
    current = new Date();
    for (const one of waiting) one();
  }, EVERY);
  return () => {
    waiting.delete(listener);
    if (waiting.size === 0) {
      clearInterval(clock);
      clock = undefined;
    }
  };
}

/** The time, renewed several times a minute: one clock for the whole page. */
export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => current);
}
