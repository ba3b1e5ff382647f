/** An e-mail as it will be sent: made by what sends it, in a frame in which nothing runs and nothing is loaded. */
import { SegmentedControl } from "@mantine/core";
import { useDebouncedValue, useElementSize } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { under } from "@/app/prefix";
import { valueAt } from "@/builder/edits";
import { readsIn } from "@/builder/samples";
import type { Step } from "@/builder/steps";
import { Failure } from "@/components/Failure";
import { Notice } from "@/components/Notice";
import { Group } from "./inputs";
import { LookControls, useLook, type Look } from "./Look";
import { Samples, useScope } from "./Samples";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

const AFTER = 200;
/** How wide messages are shown: that of a usual phone, and of the part of a desktop's program that shows them. */
const WIDTHS = { phone: 375, desktop: 720 };
const HEIGHT = 380;

type Written = Schemas["LetterAnswer"];

export function Letter({ step }: { step: Step }) {
  const { t } = useTranslation("builder");
  const { text, parsed, check, lastCheck } = useBuilder();
  const look = useLook();
  const written = JSON.stringify(valueAt(parsed, [...step.path, "email"]) ?? {});
  const scope = useScope(written);
  const now = JSON.stringify({ text, step: step.id, language: look.language, values: scope });
  const [asked] = useDebouncedValue(now, AFTER);
  const { data, error } = useQuery({
    queryKey: ["builder", "letter", asked],
    queryFn: () => got(api.POST("/definitions/letter", { body: JSON.parse(asked) as Schemas["LetterBody"] })),
    // What was checked is what is asked about.
    enabled: check?.sound === true && asked === now,
    staleTime: Infinity,
    gcTime: 30_000,
    retry: false,
    placeholderData: (before) => before,
  });
  return (
    <Group label={t("letter.title")}>
      <Samples names={readsIn(written)} scope={scope} />
      <LookControls {...look} />
      {lastCheck && !lastCheck.sound && <p className="quiet">{t("preview.unsound")}</p>}
      {error && <Failure error={error} />}
      {data && <Envelope letter={data} look={look} />}
    </Group>
  );
}

function Envelope({ letter, look }: { letter: Written; look: Look }) {
  const { t } = useTranslation("builder");
  const [part, setPart] = useState<"html" | "text">("html");
  const { sender, receivers, subject, text, html, problem } = letter;
  if (problem !== null) {
    return (
      <Notice tone="warn" title={t("letter.noMessage")}>
        <p>{problem}</p>
      </Notice>
    );
  }
  const heads = (["to", "cc", "bcc", "replyTo"] as const).filter((name) => name in receivers);
  return (
    <div className={css.letter}>
      <dl className={css.letterHead}>
        <dt>{t("letter.from")}</dt>
        <dd>{sender}</dd>
        {heads.map((name) => (
          <Head key={name} name={t(`letter.${name}`)} values={receivers[name]!} />
        ))}
        <dt>{t("letter.subject")}</dt>
        <dd className={css.letterSubject}>{subject}</dd>
      </dl>
      {html === null ? (
        <p className="quiet">{t("letter.plain")}</p>
      ) : (
        <SegmentedControl<"html" | "text">
          aria-label={t("letter.part")}
          value={part}
          onChange={setPart}
          data={[
            { value: "html", label: t("letter.html") },
            { value: "text", label: t("letter.text") },
          ]}
        />
      )}
      {html !== null && part === "html" ? (
        <LetterFrame html={html} look={look} />
      ) : (
        <pre className={css.letterText} tabIndex={0} aria-label={t("letter.text")}>
          {text}
        </pre>
      )}
    </div>
  );
}

function Head({ name, values }: { name: string; values: readonly string[] }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{values.join(", ")}</dd>
    </>
  );
}

/** A page of the server's that may do nothing: the message is put into it, as wide as it would be, and made to fit. */
function LetterFrame({ html, look: { device, scheme, language } }: { html: string; look: Look }) {
  const { t } = useTranslation("builder");
  const frame = useRef<HTMLIFrameElement>(null);
  const { ref, width } = useElementSize();
  const [isThere, setThere] = useState(false);
  useEffect(() => {
    const page = frame.current?.contentDocument;
    if (!isThere || !page) return;
    page.documentElement.lang = /^[^>]*<html[^>]*\slang="([^"]+)"/i.exec(html.replace(/<!doctype[^>]*>/i, ""))?.[1] ?? language;
    // Read there, not here: its styles stand in it, and what this page forbids of that it may.
    page.documentElement.innerHTML = html;
    // Dark is what a message looks like that says it can be; others stay as they are.
    const asks = page.querySelector<HTMLMetaElement>("meta[name=color-scheme]")?.content.includes("dark");
    page.documentElement.style.colorScheme = asks ? scheme : "light";
  }, [html, language, scheme, isThere]);
  const wide = WIDTHS[device];
  const scale = width > 0 ? Math.min(1, width / wide) : 1;
  return (
    <div ref={ref} className={css.letterStage} style={{ height: HEIGHT }}>
      <iframe
        ref={frame}
        className={css.letterFrame}
        src={under("/app/letter-frame")}
        title={t("letter.frame")}
        sandbox="allow-same-origin"
        style={{ width: wide, height: HEIGHT / scale, transform: `scale(${scale})`, marginInlineStart: Math.max(0, (width - wide * scale) / 2), colorScheme: scheme }}
        onLoad={() => {
          // Links lead nowhere from here.
          frame.current?.contentDocument?.addEventListener("click", (event) => event.preventDefault());
          setThere(true);
        }}
      />
    </div>
  );
}
