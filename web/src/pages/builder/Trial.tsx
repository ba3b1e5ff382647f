/** Scenarios beside the text: played at every change, with what they come by. */
import { Button, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { answersFor, withScenario } from "@/builder/scenarios";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { Outcomes } from "../definitions/Outcomes";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

const PLAY_AFTER = 500;

export type TrialResult = Schemas["TrialAnswer"];

/** What came of the scenarios of a sound text; undefined where there are none. */
export function useTrial(text: string, scenarios: string, isSound: boolean) {
  const [asked] = useDebouncedValue(JSON.stringify({ text, scenarios }), PLAY_AFTER);
  return useQuery({
    queryKey: ["builder", "trial", asked],
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
  const { list, lastCheck, drawn } = useBuilder();
  const result = scenarios.trim() === "" ? undefined : trial.data;
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
      <Button mt="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => onChange(withScenario(scenarios, t("scenarios.name"), answersFor(list, drawn.value)))}>
        {t("scenarios.add")}
      </Button>
      <div role="status" aria-label={t("scenarios.results")}>
        {lastCheck && !lastCheck.sound && scenarios.trim() !== "" && <Notice tone="warn" title={t("scenarios.unsound")} />}
        {trial.isError && <Failure error={trial.error} />}
        {result && <Outcomes result={result} />}
      </div>
    </div>
  );
}
