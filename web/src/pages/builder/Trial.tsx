/** Scenarios beside the text: played at every change, with what they come by. */
import { Button, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { everyStep, type StepList } from "@/builder/steps";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { Tag } from "@/components/Status";
import { Outcome } from "../definitions/Scenarios";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

const PLAY_AFTER = 500;

export type TrialResult = Schemas["TrialAnswer"];

/** What came of the scenarios of a sound text; undefined where there are none. */
export function useTrial(text: string, scenarios: string, isSound: boolean) {
  const [asked] = useDebouncedValue(JSON.stringify({ text, scenarios }), PLAY_AFTER);
  return useQuery({
    queryKey: ["definitions", "trial", asked],
    queryFn: () => got(api.POST("/definitions/test", { body: JSON.parse(asked) as { text: string; scenarios: string } })),
    enabled: isSound && scenarios.trim() !== "",
    staleTime: Infinity,
    gcTime: 60_000,
    placeholderData: (before) => before,
  });
}

interface Props {
  scenarios: string;
  onChange: (scenarios: string) => void;
  trial: ReturnType<typeof useTrial>;
}

export function Trial({ scenarios, onChange, trial }: Props) {
  const { t } = useTranslation("builder");
  const { list, check, drawn } = useBuilder();
  const result = scenarios.trim() === "" ? undefined : trial.data;
  const failed = result?.scenarios.filter((one) => !one.passed).length ?? 0;
  return (
    <div className={css.trial}>
      <Textarea
        label={t("scenarios.label")}
        description={t("scenarios.hint")}
        value={scenarios}
        onChange={(event) => onChange(event.currentTarget.value)}
        autosize
        minRows={8}
        maxRows={22}
        spellCheck={false}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      <Button mt="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => onChange(withScenario(scenarios, list, drawn.value, t("scenarios.name")))}>
        {t("scenarios.add")}
      </Button>
      <div role="status" aria-label={t("scenarios.results")}>
        {check && !check.sound && scenarios.trim() !== "" && <Notice tone="warn" title={t("scenarios.unsound")} />}
        {trial.isError && <Failure error={trial.error} />}
        {result && result.problems.length > 0 && (
          <Notice tone="bad" title={t("scenarios.wrong")}>
            <ul className={css.wrong}>
              {result.problems.map((problem) => (
                <li key={problem}>{problem}</li>
              ))}
            </ul>
          </Notice>
        )}
        {result && result.problems.length === 0 && (
          <>
            <p>
              <Tag tone="good" icon={IconCheck} text={t("scenarios.passed", { count: result.scenarios.length - failed })} />{" "}
              {failed > 0 && <Tag tone="bad" icon={IconAlertTriangle} text={t("scenarios.failed", { count: failed })} />}
            </p>
            <ul className={css.outcomes}>
              {result.scenarios.map((one) => (
                <Outcome key={`${one.line} ${one.name}`} outcome={one} />
              ))}
            </ul>
            {result.missedSteps.length + result.missedBranches.length > 0 && (
              <p className="quiet">
                {t("scenarios.missed")} <span className="mono">{[...result.missedSteps, ...result.missedBranches].join(", ")}</span>
              </p>
            )}
          </>
        )}
      </div>
    </div>
  );
}

/** One more scenario: an answer for each step that asks somebody. */
function withScenario(scenarios: string, list: StepList, document: unknown, name: string): string {
  const answers = everyStep(list).flatMap((step) => answerTo(step.id, step.kind, valueOf(document, step.path)));
  const entry = [`  - name: ${name}`, ...(answers.length > 0 ? ["    answers:", ...answers.map((line) => `      ${line}`)] : []), "    expect: {status: COMPLETED}"];
  const before = scenarios.trim() === "" ? "scenarios:" : scenarios.trimEnd();
  return [before, ...entry, ""].join("\n");
}

function answerTo(id: string, kind: string | undefined, step: Record<string, unknown>): string[] {
  if (kind === "form") return [`${id}: ${JSON.stringify(sampleAnswer(step["form"]))}`];
  if (kind === "consent") return [`${id}: {accepted: true}`];
  if (kind === "message") return [];
  if (kind === "review") return [`${id}: {outcome: ${firstOutcome(step["review"])}}`];
  return [];
}

function firstOutcome(review: unknown): string {
  const outcomes = (review as { outcomes?: unknown } | undefined)?.outcomes;
  return Array.isArray(outcomes) && typeof outcomes[0] === "string" ? outcomes[0] : "approve";
}

const SAMPLES: Record<string, unknown> = { email: "name@example.com", phone: "+48123456789", date: "1990-01-31", country: "PL" };

function sampleAnswer(form: unknown): Record<string, unknown> {
  const properties = (form as { schema?: { properties?: Record<string, Record<string, unknown>> } } | undefined)?.schema?.properties ?? {};
  return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, sampleOf(field)]));
}

function sampleOf(field: Record<string, unknown>): unknown {
  if (Array.isArray(field["enum"])) return field["enum"][0];
  if (field["type"] === "boolean") return true;
  if (field["type"] === "integer" || field["type"] === "number") return typeof field["minimum"] === "number" ? field["minimum"] : 1;
  if (field["type"] === "array" || field["type"] === "object") return field["type"] === "array" ? [] : {};
  return SAMPLES[String(field["format"])] ?? "text";
}

function valueOf(document: unknown, path: readonly (string | number)[]): Record<string, unknown> {
  return (path.reduce<unknown>((value, part) => (value as Record<string | number, unknown> | undefined)?.[part], document) ?? {}) as Record<string, unknown>;
}
