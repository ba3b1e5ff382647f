import { Button, Switch } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconClockPause, IconLoader2, IconMinus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useNow } from "@/components/Time";
import { duration } from "@/components/times";
import { waits, type StepRun, type Timeline } from "./types";
import css from "./Execution.module.css";

const AT_ONCE = 200;
const SIGNS = { COMPLETED: IconCheck, FAILED: IconAlertTriangle, SKIPPED: IconMinus, RUNNING: IconLoader2 };

interface Props {
  timeline: Timeline;
  chosen: string | undefined;
  onlyFailed: boolean;
  onChoose: (step: string) => void;
  onOnlyFailed: (only: boolean) => void;
}

/** What names an attempt in the address. */
export function runKey(run: StepRun): string {
  return `${run.step}~${run.visit}~${run.attempt}`;
}

/** Every attempt of every step in its time: a waterfall, some hundred rows at once. */
export function Outline({ timeline, chosen, onlyFailed, onChoose, onOnlyFailed }: Props) {
  const { t } = useTranslation("executions");
  const [most, setMost] = useState(AT_ONCE);
  const runs = useMemo(
    () => timeline.steps.filter((run) => !onlyFailed || run.status === "FAILED"),
    [timeline.steps, onlyFailed],
  );
  const now = useNow().getTime();
  const span = useMemo(() => spanOf(timeline.steps, now), [timeline.steps, now]);
  return (
    <div>
      <Switch
        size="xs"
        mb="xs"
        label={t("outline.onlyFailed")}
        checked={onlyFailed}
        onChange={(event) => onOnlyFailed(event.currentTarget.checked)}
      />
      {runs.length === 0 && <p className="quiet">{onlyFailed ? t("outline.noneFailed") : t("outline.none")}</p>}
      <ol className={css.runs}>
        {runs.slice(0, most).map((run) => {
          const Sign = SIGNS[run.status];
          const key = runKey(run);
          const begin = Date.parse(run.startedAt);
          const took = endOf(run, now) - begin;
          return (
            <li key={key}>
              <button
                type="button"
                className={css.run}
                data-status={run.status}
                aria-pressed={chosen === key || chosen === run.step}
                onClick={() => onChoose(key)}
              >
                <Sign size={15} stroke={2} aria-label={run.status} role="img" />
                <span className={css.runName}>
                  {run.step} <span className="quiet">{run.kind}</span>
                  {run.attempt > 1 && <span className="quiet"> · {t("outline.attempt", { attempt: run.attempt })}</span>}
                  {run.visit > 1 && <span className="quiet"> · {t("outline.visit", { visit: run.visit })}</span>}
                </span>
                <span className={css.track} aria-hidden>
                  <span
                    className={css.bar}
                    style={{
                      left: `${((begin - span.begin) / span.length) * 100}%`,
                      width: `max(3px, ${(took / span.length) * 100}%)`,
                    }}
                  />
                </span>
                <span className={css.took}>{duration(took)}</span>
              </button>
            </li>
          );
        })}
        {!onlyFailed && <Waits timeline={timeline} />}
      </ol>
      {runs.length > most && (
        <Button variant="default" onClick={() => setMost(most + AT_ONCE)}>
          {t("outline.more", { count: runs.length - most })}
        </Button>
      )}
    </div>
  );
}

/** Where it rests: no attempt has ended there yet. */
function Waits({ timeline }: { timeline: Timeline }) {
  const { t } = useTranslation("executions");
  const under = new Set(timeline.steps.filter((run) => run.status === "RUNNING").map((run) => run.step));
  return waits(timeline)
    .filter((wait) => !under.has(wait.path ?? wait.step))
    .map((wait) => (
      <li key={wait.path ?? wait.step} className={css.run} data-status="WAITING">
        <IconClockPause size={15} stroke={2} aria-hidden />
        <span className={css.runName}>
          {wait.path ?? wait.step} <span className="quiet">{wait.kind}</span>
        </span>
        <span className="quiet">{t("graph.here")}</span>
      </li>
    ));
}

/** When an attempt ended; one that is under way has not. */
export function endOf(run: StepRun, now: number): number {
  return run.endedAt === null ? Math.max(now, Date.parse(run.startedAt)) : Date.parse(run.endedAt);
}

function spanOf(runs: readonly StepRun[], now: number): { begin: number; length: number } {
  const begin = runs.reduce((first, run) => Math.min(first, Date.parse(run.startedAt)), Infinity);
  const end = runs.reduce((last, run) => Math.max(last, endOf(run, now)), -Infinity);
  return { begin, length: Math.max(1, end - begin) };
}
