/** The builder: steps as outline and graph, the form of what is selected, the text, the page, and scenarios. */
import { Button, Group, Loader, SegmentedControl } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconAlertTriangle, IconArrowBackUp, IconArrowForwardUp, IconCheck, IconGitCompare, IconRocket, IconUsers } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Schema } from "@/builder/schema";
import { useShortcuts } from "@/app/keyboard";
import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { localized } from "@/components/localized";
import { Notice } from "@/components/Notice";
import { useStay } from "@/components/stay";
import { Compare } from "./Compare";
import { Palette } from "./Palette";
import { Preview } from "./Preview";
import { Publish } from "./Publish";
import { sourceQuery } from "./queries";
import type { KeptScenarios } from "../definitions/queries";
import { useSaving, type Draft, type Saving } from "./saving";
import { Tool } from "./inputs";
import { SharingMenu } from "./SharingMenu";
import { BuilderContext, useBuilder, useBuilderState } from "./state";
import { StepForm } from "./StepForm";
import { Trial, useTrial } from "./Trial";
import { Tree } from "./Tree";
import css from "./Builder.module.css";

const Canvas = lazy(() => import("./Canvas").then((file) => ({ default: file.Canvas })));
const Source = lazy(() => import("./Source"));

export interface BuilderProps {
  schema: Schema;
  start: string;
  draft: Draft | undefined;
  base: { definitionId: string; revision: number; text: string; kept: KeptScenarios } | undefined;
}

type Left = "outline" | "graph";
type Right = "text" | "page" | "scenarios";
type Pane = "steps" | "form" | "more";

export function Builder({ schema, start, draft, base }: BuilderProps) {
  const state = useBuilderState(start, schema);
  return (
    <BuilderContext value={state}>
      <Frame draft={draft} base={base} start={start} />
    </BuilderContext>
  );
}

function Frame({ draft: opened, base, start }: Omit<BuilderProps, "schema">) {
  const { t, i18n } = useTranslation("builder");
  const builder = useBuilder();
  const { text, drawn, check } = builder;
  const navigate = useNavigate();
  const [left, setLeft] = useState<Left>(() => (matchMedia("(max-width: 40em)").matches ? "outline" : "graph"));
  const [right, setRight] = useState<Right>("text");
  const [pane, setPane] = useState<Pane>("steps");
  // As they were when the work began: what others keep meanwhile is asked about as it is published.
  const [began] = useState(() => (opened ? { scenarios: opened.scenarios, version: opened.scenariosVersion } : (base?.kept ?? { scenarios: "", version: 0 })));
  const [scenarios, setScenarios] = useState(began.scenarios);
  const [publishing, setPublishing] = useState(false);
  const [comparing, setComparing] = useState(false);
  // Known at once: what is drawn into a pane that is not there yet has no size.
  const isNarrow = useMediaQuery("(max-width: 70em)", false, { getInitialValueInEffect: false });
  const { data: source } = useQuery(sourceQuery);
  const filesOnly = source?.filesOnly === true;
  const root = drawn.value as { title?: unknown; name?: unknown } | undefined;
  const title = localized(root?.title, i18n.language) || (typeof root?.name === "string" ? root.name : "") || t("untitled");
  const saving = useSaving({
    draft: opened,
    start: { text: start, scenarios: began.scenarios },
    now: { text, scenarios },
    about: { name: title.slice(0, 100), scenariosVersion: began.version, ...(base && { definitionId: base.definitionId, baseRevision: base.revision }) },
    isKept: source !== undefined && !filesOnly,
    // The address is the draft's from now on; the page stays as it is.
    onMade: (made) => void navigate({ to: ".", replace: true, mask: { to: "/drafts/$draftId", params: { draftId: made.id }, unmaskOnReload: true } }),
    onMerged: (both, by) => {
      builder.type(both.text);
      setScenarios(both.scenarios);
      notifyDone(t("merged", { by }));
    },
  });
  useStay(saving.state === "failed" || saving.state === "conflict" || (filesOnly && (text !== start || scenarios !== began.scenarios)));
  const trial = useTrial(text, scenarios, check?.sound === true);
  const missed = useMemo(() => (scenarios.trim() && trial.data && trial.data.problems.length === 0 ? new Set(trial.data.missedSteps) : undefined), [scenarios, trial.data]);
  useShortcuts(t("title"), [
    { keys: "mod+z", text: t("undo"), run: builder.undo },
    { keys: "mod+y", text: t("redo"), run: builder.redo },
  ]);
  return (
    <div className={css.builder} data-pane={isNarrow ? pane : undefined}>
      <header className={css.top}>
        <h1 className={css.title}>{title}</h1>
        <SaveState saving={saving} />
        <Check />
        <span className={css.space} />
        <Tool icon={IconArrowBackUp} text={t("undo")} disabled={!builder.canUndo} onClick={builder.undo} />
        <Tool icon={IconArrowForwardUp} text={t("redo")} disabled={!builder.canRedo} onClick={builder.redo} />
        <Tool icon={IconGitCompare} text={t("compare.open")} onClick={() => setComparing(true)} />
        {saving.draft && <SharingMenu draft={saving.draft} />}
        <Button leftSection={<IconRocket size={15} />} onClick={() => setPublishing(true)}>
          {t(filesOnly ? "patch.open" : "publish.open")}
        </Button>
      </header>
      <Together saving={saving} />
      {isNarrow && (
        <SegmentedControl
          fullWidth
          aria-label={t("panes")}
          value={pane}
          onChange={(value) => setPane(value)}
          data={[
            { value: "steps", label: t("pane.steps") },
            { value: "form", label: t("pane.form") },
            { value: "more", label: t("pane.more") },
          ]}
        />
      )}
      <div className={css.panes}>
        <section className={css.left} aria-label={t("pane.steps")}>
          <div className={css.paneHead}>
            <SegmentedControl
              aria-label={t("shownAs")}
              value={left}
              onChange={(value) => setLeft(value)}
              data={[
                { value: "graph", label: t("graphWord") },
                { value: "outline", label: t("outlineWord") },
              ]}
            />
          </div>
          <div className={css.leftBody}>
            <Palette />
            <div className={css.steps}>
              {left === "outline" ? (
                <Tree missed={missed} />
              ) : (
                <Suspense fallback={<Loading />}>
                  <Canvas missed={missed} />
                </Suspense>
              )}
            </div>
          </div>
        </section>
        <section className={css.middle} aria-label={t("pane.form")} data-builder-form>
          <StepForm />
        </section>
        <section className={css.right} aria-label={t("pane.more")}>
          <div className={css.paneHead}>
            <SegmentedControl
              aria-label={t("beside")}
              value={right}
              onChange={(value) => setRight(value)}
              data={[
                { value: "text", label: t("text") },
                { value: "page", label: t("page") },
                { value: "scenarios", label: t("scenariosWord") },
              ]}
            />
          </div>
          <div className={css.rightBody}>
            {right === "text" && (
              <Suspense fallback={<Loading />}>
                <Source />
              </Suspense>
            )}
            {right === "page" && <Preview onRecorded={(next) => (setScenarios(next(scenarios)), setRight("scenarios"))} />}
            {right === "scenarios" && <Trial scenarios={scenarios} onChange={setScenarios} trial={trial} />}
          </div>
        </section>
      </div>
      {comparing && <Compare definitionId={base?.definitionId} draftId={saving.draft?.id} onClose={() => setComparing(false)} />}
      {publishing && <Publish base={base} scenarios={{ text: scenarios, version: began.version }} newest={saving.draft?.newestRevision ?? base?.revision} filesOnly={filesOnly} draftId={saving.draft?.mine ? saving.draft.id : undefined} onClose={() => setPublishing(false)} />}
    </div>
  );
}

function SaveState({ saving }: { saving: Saving }) {
  const { t } = useTranslation("builder");
  const isWaiting = saving.state === "waiting";
  return (
    <span className={css.saving} data-state={saving.state} role="status">
      {isWaiting ? <Loader size={12} /> : saving.state === "saved" ? <IconCheck size={14} aria-hidden /> : <IconAlertTriangle size={14} aria-hidden />}
      {t(`saving.${saving.state}`)}
    </span>
  );
}

/** Whether the text is sound; else the first thing that is wrong, which leads to its place. */
function Check() {
  const { t } = useTranslation("builder");
  const { problems, warnings, check, lastCheck, select } = useBuilder();
  const [first] = problems;
  if (!lastCheck) return null;
  const shown = { className: css.check, "aria-busy": check === undefined };
  if (first) {
    return (
      <button type="button" {...shown} data-tone="bad" title={first.message} onClick={() => select(stepPath(first.path))}>
        <IconAlertTriangle size={14} aria-hidden />
        {t("problems", { count: problems.length })}
      </button>
    );
  }
  return (
    <span {...shown} data-tone={warnings.length > 0 ? "warn" : "good"} title={warnings[0]?.message}>
      <IconCheck size={14} aria-hidden />
      {warnings.length > 0 ? t("warnings", { count: warnings.length }) : t("sound")}
    </span>
  );
}

/** The step that a problem stands in: the path up to the last number that follows the name of a list of steps. */
function stepPath(path: readonly (string | number)[]): readonly (string | number)[] {
  for (let place = path.length - 1; place > 0; place -= 1) {
    const list = path[place - 1];
    if (typeof path[place] === "number" && (list === "steps" || path[place - 2] === "branches")) return path.slice(0, place + 1);
  }
  return [];
}

/** Who else is here, and what they saved meanwhile. */
function Together({ saving }: { saving: Saving }) {
  const { t } = useTranslation("builder");
  const { type } = useBuilder();
  const { people, theirs } = saving;
  return (
    <>
      {people.length > 0 && (
        <p className={css.people}>
          <IconUsers size={14} aria-hidden /> {t("people", { names: people.join(", ") })}
        </p>
      )}
      {theirs && (
        <Notice tone="warn" alert title={t("conflict.title", { by: theirs.updatedBy })}>
          <p>{t("conflict.text")}</p>
          <Group gap="xs">
            <Button
              size="compact-sm"
              onClick={() => {
                saving.settle(theirs);
                type(theirs.text);
              }}
            >
              {t("conflict.theirs")}
            </Button>
            <Button size="compact-sm" variant="default" onClick={() => saving.settle(theirs)}>
              {t("conflict.mine")}
            </Button>
          </Group>
        </Notice>
      )}
      {saving.state === "failed" && <Failure error={saving.error} onRetry={() => void saving.save()} />}
    </>
  );
}
