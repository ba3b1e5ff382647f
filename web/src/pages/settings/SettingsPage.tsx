import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChevronDown } from "@tabler/icons-react";
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { permissionsQuery } from "@/app/auth";
import { Loading } from "@/components/Loading";
import { ProofHost } from "./proof";
import { shownTo } from "./sections";
import css from "./Settings.module.css";

/** The sections of the settings beside the one that is open; on a phone behind a button above it. */
export function SettingsPage() {
  const { t } = useTranslation(["settings", "admin"]);
  const isNarrow = useMediaQuery("(max-width: 60em)", false, { getInitialValueInEffect: false });
  return (
    <div className={css.page}>
      <nav aria-label={t("title")} className={css.side}>
        {isNarrow ? <Folded /> : <Sections />}
      </nav>
      <div className={css.content}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </div>
      <ProofHost />
    </div>
  );
}

function Sections({ onChosen }: { onChosen?: () => void }) {
  const { t } = useTranslation(["settings", "admin"]);
  const { permissions } = useSuspenseQuery(permissionsQuery).data;
  return shownTo(permissions).map((group) => (
    <div key={group.title}>
      <p className={css.group}>{t(group.title)}</p>
      <ul>
        {group.sections.map(({ to, text, icon: Icon }) => (
          <li key={to}>
            <Link to={to} className={css.section} activeProps={{ "data-active": true, "aria-current": "page" }} onClick={onChosen}>
              <Icon size={16} stroke={1.7} aria-hidden />
              {t(text)}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  ));
}

function Folded() {
  const { t } = useTranslation(["settings", "admin"]);
  const { permissions } = useSuspenseQuery(permissionsQuery).data;
  const path = useLocation({ select: ({ pathname }) => pathname });
  const [open, setOpen] = useState(false);
  const here = shownTo(permissions)
    .flatMap(({ sections }) => sections)
    .find(({ to }) => path.endsWith(to) || path.includes(`${to}/`));
  return (
    <>
      <Button
        variant="default"
        fullWidth
        justify="space-between"
        aria-expanded={open}
        rightSection={<IconChevronDown size={16} data-open={open || undefined} className={css.chevron} aria-hidden />}
        onClick={() => setOpen(!open)}
      >
        {here ? t(here.text) : t("title")}
      </Button>
      {open && <Sections onChosen={() => setOpen(false)} />}
    </>
  );
}
