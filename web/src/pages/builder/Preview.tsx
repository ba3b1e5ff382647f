/** The page of a step as its reader will see it: filled in and clicked through, and kept as a scenario. */
import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconForms, IconPlayerSkipBack, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { themeQuery, asBody } from "../links/theme";
import { everyStep, type Step } from "@/builder/steps";
import { notifyFailed } from "@/components/confirm";
import { Empty } from "@/components/Empty";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { LookControls, useLook } from "./Look";
import { useBuilder } from "./state";
import { nextPage, recordedAs, tried, type Walk } from "./walking";
import css from "./Builder.module.css";

const ASKS = new Set(["form", "upload", "consent", "message"]);

interface Props {
  /** Something was clicked through: how the scenarios go on with it. */
  onRecorded: (next: (scenarios: string) => string) => void;
}

export function Preview({ onRecorded }: Props) {
  const { t } = useTranslation("builder");
  const { text, drawn, list, step, select, check, lastCheck } = useBuilder();
  const look = useLook();
  const [walk, setWalk] = useState<Walk>({ answers: {}, outputs: {} });
  const [posted, setPosted] = useState<{ step: string; pairs: [string, string][] }>();
  const [said, setSaid] = useState<string>();
  const pages = everyStep(list).filter((one) => one.kind !== undefined && ASKS.has(one.kind));
  const page: Step | undefined = step && pages.includes(step) ? step : pages.find((one) => !(one.id in walk.answers)) ?? pages[0];
  const { data: theme } = useQuery(themeQuery);
  const body = {
    text,
    step: page?.id ?? "",
    language: look.language,
    scheme: look.scheme,
    theme: theme ? JSON.stringify(smallTheme(theme)) : "{}",
    outputs: walk.outputs,
    posted: posted && posted.step === page?.id ? posted.pairs : null,
  };
  const now = JSON.stringify(body);
  const [asked] = useDebouncedValue(now, 150);
  const { data, error } = useQuery({
    queryKey: ["builder", "preview", asked],
    queryFn: () => tried(JSON.parse(asked) as typeof body),
    // What was checked is what is asked about.
    enabled: page !== undefined && check?.sound === true && asked === now && theme !== undefined,
    staleTime: Infinity,
    gcTime: 30_000,
    placeholderData: (before) => before,
    retry: false,
  });
  // What is still on its way is not yet among the answers that would be kept.
  const [isOnItsWay, setOnItsWay] = useState(false);
  const proceed = async (pairs: [string, string][]) => {
    if (!page) return;
    setOnItsWay(true);
    try {
      const answer = await tried({ ...body, posted: pairs });
      if (!answer.taken) return setPosted({ step: page.id, pairs });
      const walked: Walk = { answers: { ...walk.answers, [page.id]: answer.answer }, outputs: { ...walk.outputs, [page.id]: answer.answer } };
      setWalk(walked);
      const next = await nextPage(text, list, drawn.value, walked);
      const following = next.waiting ? pages.find((one) => next.waiting!.includes(one.id)) : pages[pages.indexOf(page) + 1];
      setSaid(following ? undefined : next.waiting?.length ? t("preview.stuck", { steps: next.waiting.join(", ") }) : t("preview.finished"));
      if (following) select(following.path);
    } catch (failure) {
      notifyFailed(failure);
    } finally {
      setOnItsWay(false);
    }
  };
  if (pages.length === 0) return <Empty icon={IconForms} title={t("preview.none")} />;
  const restart = () => {
    setWalk({ answers: {}, outputs: {} });
    setSaid(undefined);
    setPosted(undefined);
    select(pages[0]!.path);
  };
  const clicked = Object.keys(walk.answers);
  return (
    <div className={css.preview}>
      <LookControls {...look} />
      {error && <Failure error={error} />}
      {lastCheck && !lastCheck.sound && <p className="quiet">{t("preview.unsound")}</p>}
      {data ? <PageFrame html={data.html} device={look.device} onContinue={(pairs) => void proceed(pairs)} title={t("preview.frame")} /> : !error && lastCheck?.sound && <Loading />}
      <div className={css.controls}>
        <span className="quiet">{said ?? t("preview.hint")}</span>
        <Button variant="subtle" size="compact-xs" leftSection={<IconPlayerSkipBack size={13} />} onClick={restart}>
          {t("preview.restart")}
        </Button>
        {clicked.length > 0 && (
          <Button variant="default" size="compact-xs" disabled={isOnItsWay} leftSection={<IconPlus size={13} />} onClick={() => onRecorded((scenarios) => recordedAs(scenarios, list, drawn.value, walk, t("preview.recorded")))}>
            {t("preview.record")}
          </Button>
        )}
      </div>
    </div>
  );
}

/** What the preview's address takes: without logo and icon, which are too long for it. */
function smallTheme(theme: Parameters<typeof asBody>[0]) {
  const { name, font, colours } = theme;
  return { name: name || null, font, colours };
}

interface FrameProps {
  html: string;
  device: string;
  title: string;
  onContinue: (pairs: [string, string][]) => void;
}

/** The page in a frame in which nothing runs: what is clicked there is heard here. */
function PageFrame({ html, device, title, onContinue }: FrameProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const proceed = useEffectEvent(onContinue);
  useEffect(() => {
    const element = frame.current!;
    const listen = () => {
      element.contentDocument?.addEventListener("click", (event) => {
        const target = (event.target as Element).closest("button, a, input[type=submit]");
        if (!target) return;
        event.preventDefault();
        // A button may stand outside of its form.
        const form = (target as HTMLButtonElement).form ?? target.closest("form");
        if (target.tagName !== "A" && form && (target.getAttribute("name") ?? "") !== "_action") proceed(pairsOf(form));
      });
      element.contentDocument?.addEventListener("submit", (event) => event.preventDefault());
    };
    element.addEventListener("load", listen);
    return () => element.removeEventListener("load", listen);
  }, []);
  return (
    <div className={css.stage}>
      <iframe ref={frame} className={css.frame} data-device={device} srcDoc={html} title={title} sandbox="allow-same-origin" />
    </div>
  );
}

/** What a browser would send. The form belongs to another document: its constructor of FormData does not take it. */
function pairsOf(form: HTMLFormElement): [string, string][] {
  const pairs: [string, string][] = [];
  for (const control of form.elements) {
    const { name, type, value, checked, disabled } = control as HTMLInputElement;
    if (!name || disabled || type === "submit" || type === "button" || type === "file") continue;
    if ((type === "checkbox" || type === "radio") && !checked) continue;
    if (type === "select-multiple") {
      for (const option of (control as unknown as HTMLSelectElement).selectedOptions) pairs.push([name, option.value]);
    } else {
      pairs.push([name, value]);
    }
  }
  return pairs;
}
