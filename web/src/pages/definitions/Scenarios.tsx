import { Button, FileButton, Group, Textarea } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconFileUpload, IconPlayerPlay } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { Allowed } from "@/components/Allowed";
import { useDraft } from "@/components/draft";
import { Failure } from "@/components/Failure";
import { Json } from "@/components/Json";
import { Notice } from "@/components/Notice";
import { Tag } from "@/components/Status";
import css from "./Definitions.module.css";

type Result = Schemas["ScenarioAnswer"];

/** Scenarios, played against a revision: nothing is called, sent or kept. */
export function Scenarios({ definitionId, name, revision }: { definitionId: string; name: string; revision: number }) {
  const { t } = useTranslation("definitions");
  const [text, setText] = useDraft(`scenarios ${definitionId}`);
  const play = useMutation({
    mutationFn: () =>
      got(
        api.POST("/definitions/{definitionId}/test", {
          params: { path: { definitionId } },
          body: { scenarios: text, revision },
        }),
      ),
  });
  const result = play.data;
  const failed = result?.scenarios.filter((one) => !one.passed).length ?? 0;
  return (
    <div className={css.scenarios}>
      <div>
        <Textarea
          label={t("scenarios.label")}
          description={t("scenarios.hint", { name })}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          placeholder={t("scenarios.example")}
          autosize
          minRows={14}
          maxRows={34}
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
        <Group mt="sm">
          <Allowed by="can_manage_definitions" reason={text.trim() ? undefined : t("scenarios.empty")}>
            <Button leftSection={<IconPlayerPlay size={15} />} loading={play.isPending} onClick={() => play.mutate()}>
              {t("scenarios.play", { revision })}
            </Button>
          </Allowed>
          <FileButton accept=".yaml,.yml,.json" onChange={(file) => void file?.text().then(setText)}>
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconFileUpload size={15} />}>
                {t("scenarios.file")}
              </Button>
            )}
          </FileButton>
        </Group>
      </div>
      <div role="status" aria-label={t("scenarios.results")}>
        {play.isError && <Failure error={play.error} />}
        {result && result.problems.length > 0 && (
          <Notice tone="bad" title={t("scenarios.wrong")}>
            <ul className={css.problems}>
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
                <Outcome key={one.name} outcome={one} />
              ))}
            </ul>
            {result.missedSteps.length > 0 && (
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

/** What came of one scenario. */
export function Outcome({ outcome }: { outcome: Result }) {
  const { t } = useTranslation("definitions");
  return (
    <li>
      <details open={!outcome.passed}>
        <summary>
          <Tag tone={outcome.passed ? "good" : "bad"} icon={outcome.passed ? IconCheck : IconAlertTriangle} text={t(outcome.passed ? "scenarios.ok" : "scenarios.broken")} />{" "}
          {outcome.name} <span className="quiet">{t("scenarios.line", { line: outcome.line })}</span>
        </summary>
        {outcome.problems.map((problem) => (
          <p key={problem}>{problem}</p>
        ))}
        <dl className={css.values}>
          {outcome.differences.map((one) => (
            <div key={one.where}>
              <dt>{one.where}</dt>
              <dd className={css.old}>
                <span className={css.unseen}>{t("scenarios.expected")}</span>
                <Json value={one.expected} />
              </dd>
              <dd className={css.new}>
                <span className={css.unseen}>{t("scenarios.actual")}</span>
                <Json value={one.actual} />
              </dd>
            </div>
          ))}
        </dl>
        <p className="quiet mono">{outcome.path.join(" → ")}</p>
      </details>
    </li>
  );
}
