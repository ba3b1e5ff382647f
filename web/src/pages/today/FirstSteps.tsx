import { Button, Tour } from "@mantine/core";
import { IconPlayerPlay, IconX } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "@/app/auth";
import css from "./Today.module.css";

const SendLink = lazy(() => import("../links/SendLink").then((file) => ({ default: file.SendLink })));

const KEPT = "passerelle.tour";
/** What the tour comes by: entries of the navigation, by where they lead. */
const STOPS = ["/reviews", "/records", "/executions", "/definitions", "/links", "/webhooks", "/settings"] as const;

/** For who is here for the first time: a tour of the pages that ends with an onboarding sent to oneself. */
export function FirstSteps() {
  const { t } = useTranslation("today");
  const mayRun = useMay("can_run");
  const [seen, setSeen] = useState(() => localStorage.getItem(KEPT) !== null);
  const [active, setActive] = useState(false);
  const [sending, setSending] = useState(false);
  const over = () => {
    localStorage.setItem(KEPT, "seen");
    setActive(false);
    setSeen(true);
  };
  const labels = { next: t("tour.next"), back: t("tour.back"), skip: t("tour.close"), close: mayRun ? t("tour.try") : t("tour.close") };
  return (
    <>
      {!seen && (
        <section className={css.first} aria-label={t("tour.title")}>
          <div className={css.words}>
            <h2>{t("tour.title")}</h2>
            <p>{mayRun ? t("tour.text") : t("tour.textOnly")}</p>
          </div>
          <Button leftSection={<IconPlayerPlay size={15} />} onClick={() => setActive(true)}>
            {t("tour.begin")}
          </Button>
          {mayRun && (
            <Button variant="default" onClick={() => setSending(true)}>
              {t("tour.try")}
            </Button>
          )}
          <Button variant="subtle" leftSection={<IconX size={14} />} onClick={over}>
            {t("tour.later")}
          </Button>
        </section>
      )}
      {active && (
        <Suspense>
          <Steps
            labels={labels}
            onEnd={(whole) => {
              over();
              if (whole && mayRun) setSending(true);
            }}
          />
        </Suspense>
      )}
      {sending && (
        <Suspense>
          <SendLink toMyself onClosed={() => (setSending(false), over())} />
        </Suspense>
      )}
    </>
  );
}

interface StepsProps {
  labels: Record<string, string>;
  /** `whole`: whether the last step was reached. */
  onEnd: (whole: boolean) => void;
}

function Steps({ labels, onEnd }: StepsProps) {
  const { t } = useTranslation("today");
  const [at, setAt] = useState(0);
  const there = STOPS.filter((to) => document.querySelector(`nav a[href$="/app${to}"]`));
  return (
    <Tour active step={at} onStepChange={setAt} onClose={() => onEnd(at >= there.length - 1)} labels={labels}>
      {there.map((to) => (
        <Tour.Step key={to} target={`nav a[href$="/app${to}"]`} title={t(`tour.stop.${to.slice(1) as "reviews"}.title`)}>
          {t(`tour.stop.${to.slice(1) as "reviews"}.text`)}
        </Tour.Step>
      ))}
    </Tour>
  );
}
