import { Kbd } from "@mantine/core";
import { IconKeyboard, IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Logo } from "./Logo";
import { DESTINATIONS, DOCS } from "./navigation";
import { useCounts } from "./counts";
import { UserMenu } from "./UserMenu";
import { WorkspaceSwitcher } from "./WorkspaceSwitcher";
import css from "./Side.module.css";

interface Props {
  onSearch: () => void;
  onHelp: () => void;
  /** Something was chosen: a drawer may close. */
  onGone?: () => void;
}

/** The navigation with who and where one is. */
export function Side({ onSearch, onHelp, onGone }: Props) {
  const { t } = useTranslation();
  const counts = useCounts();
  return (
    <div className={css.side}>
      <div className={css.head}>
        <Logo />
      </div>
      <WorkspaceSwitcher />
      <button type="button" className={css.search} onClick={() => (onGone?.(), onSearch())}>
        <IconSearch size={15} aria-hidden />
        <span>{t("palette.open")}</span>
        <Kbd size="xs">Ctrl K</Kbd>
      </button>
      <nav aria-label={t("nav.name")} className={css.nav}>
        <ul>
          {DESTINATIONS.map(({ to, text, icon: Icon }) => (
            <li key={to}>
              <Link
                to={to}
                className={css.link}
                activeProps={{ "data-active": true, "aria-current": "page" }}
                activeOptions={{ exact: to === "/", includeSearch: false }}
                onClick={onGone}
              >
                <Icon size={17} stroke={1.7} aria-hidden />
                <span>{t(text)}</span>
                {counts[to] !== undefined && <span className={css.count}>{counts[to]}</span>}
              </Link>
            </li>
          ))}
          <li>
            <a href={DOCS.href} className={css.link}>
              <DOCS.icon size={17} stroke={1.7} aria-hidden />
              <span>{t(DOCS.text)}</span>
            </a>
          </li>
        </ul>
      </nav>
      <div className={css.foot}>
        <button type="button" className={css.link} onClick={() => (onGone?.(), onHelp())}>
          <IconKeyboard size={17} stroke={1.7} aria-hidden />
          <span>{t("shortcuts.title")}</span>
        </button>
        <UserMenu />
      </div>
    </div>
  );
}
