import { IconAlertTriangle, IconCheck, IconHelp } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { useMay } from "@/app/auth";
import { ExecutionComments } from "@/components/ExecutionComments";
import { Json } from "@/components/Json";
import { Notice } from "@/components/Notice";
import { Section } from "@/components/Section";
import { Status, Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { executionQuery } from "../executions/queries";
import { Documents, documentsOf } from "./Documents";
import { useReasonWords, type Reason } from "./reasons";
import { useStepWords, type StepWords } from "./steps";
import { RecordCard } from "./RecordCard";
import css from "./Review.module.css";

type Timeline = Schemas["TimelineAnswer"];
type StepRun = Schemas["StepRunAnswer"];

interface CheckOutput {
  status?: "valid" | "invalid" | "unknown";
  reasons?: Reason[];
  data?: unknown;
  source?: string;
}

const ENTERED = ["form", "consent"];
const MOST = 20;

interface Props {
  timeline: Timeline;
  workflowId: string;
  /** Whether personal data is hidden from this person. */
  masked: boolean;
}

/** All that the decision stands on: what was entered, checks, documents, records, what was before. */
export function Case({ timeline, workflowId, masked }: Props) {
  const { t } = useTranslation("reviews");
  const { data: execution } = useQuery(executionQuery(workflowId));
  const words = useStepWords(workflowId);
  const latest = lastOfEach(timeline.steps);
  const entered = latest.filter((run) => ENTERED.includes(run.kind) && run.status === "COMPLETED");
  const checks = latest.filter((run) => run.kind === "check");
  const documents = latest.flatMap((run) => documentsOf(run.output));
  const parameters = execution && "parameters" in execution ? execution.parameters : {};
  const recordId = execution && "recordId" in execution ? execution.recordId : null;
  const table = timeline.recordChanges.find((change) => change.recordId === recordId)?.table;
  const beside = documents.length > 0;
  return (
    <div className={css.case} data-beside={beside || undefined}>
      <div className={css.data}>
      {masked && <Notice tone="busy">{t("masked")}</Notice>}
      <Section title={t("entered")}>
        {entered.length === 0 && Object.keys(parameters).length === 0 && <p className="quiet">{t("nothingEntered")}</p>}
        {Object.keys(parameters).length > 0 && <Json value={parameters} />}
        {entered.map((run) => (
          <div key={run.step} className={css.part}>
            <h3>{words.step(run.step)}</h3>
            <Entered run={run} words={words} />
          </div>
        ))}
      </Section>
      {checks.length > 0 && (
        <Section title={t("checks")}>
          {checks.map((run) => (
            <Check key={run.step} run={run} title={words.step(run.step)} />
          ))}
        </Section>
      )}
      {recordId && table && <RecordCard table={table} recordId={recordId} />}
      {recordId && <Earlier recordId={recordId} workflowId={workflowId} />}
      <ExecutionComments executionId={workflowId} />
      </div>
      {beside && <Documents documents={documents} />}
    </div>
  );
}

/** What somebody entered, under the names that the form has for it. */
function Entered({ run, words }: { run: StepRun; words: StepWords }) {
  const output: unknown = run.output;
  if (typeof output !== "object" || output === null || Array.isArray(output)) return <Json value={output} />;
  const entries: [string, unknown][] = Object.entries(output);
  return (
    <dl className={css.facts}>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{words.field(run.step, name)}</dt>
          <dd>
            <Json value={value} level={1} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** One check: its verdict in a word, and each reason. */
function Check({ run, title }: { run: StepRun; title: string }) {
  const { t } = useTranslation("reviews");
  const wordsOf = useReasonWords();
  const output = (run.output ?? {}) as CheckOutput;
  const name = String((run.input as { name?: unknown } | null)?.name);
  const failed = run.status === "FAILED";
  const verdict = failed ? "unknown" : (output.status ?? "unknown");
  const look = {
    valid: { tone: "good", icon: IconCheck },
    invalid: { tone: "bad", icon: IconAlertTriangle },
    unknown: { tone: "warn", icon: IconHelp },
  } as const;
  return (
    <details className={css.check}>
      <summary>
        <Tag {...look[verdict]} text={t(`verdict.${verdict}`)} /> {title}{" "}
        {output.reasons?.map((reason) => (
          <span key={`${reason.code}${reason.message}`} className={css.reason}>
            {wordsOf(name, reason)} <span className="mono quiet">{reason.code}</span>
          </span>
        ))}
      </summary>
      <Json value={failed ? run.error : { input: run.input, data: output.data, source: output.source }} />
    </details>
  );
}

/** Executions of the same record that were before. */
function Earlier({ recordId, workflowId }: { recordId: string; workflowId: string }) {
  const { t } = useTranslation("reviews");
  const may = useMay("can_view_executions");
  const { data } = useQuery({
    queryKey: ["executions", "of", recordId],
    queryFn: () => got(api.GET("/workflows", { params: { query: { recordId, limit: MOST } } })),
    enabled: may,
  });
  const others = data?.data.filter((one) => one.id !== workflowId) ?? [];
  if (others.length === 0) return null;
  return (
    <Section title={t("earlier")}>
      <ul className={css.plain}>
        {others.map((one) => (
          <li key={one.id}>
            <Status status={one.status} />
            <Link to="/executions/$executionId" params={{ executionId: one.id }}>
              {one.name}
            </Link>
            <span className="quiet">
              <Time at={one.createdDate} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function lastOfEach(runs: readonly StepRun[]): StepRun[] {
  return [...new Map(runs.map((run) => [run.step, run])).values()];
}
