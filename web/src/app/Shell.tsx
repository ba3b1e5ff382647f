import { ActionIcon, Drawer } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2, IconSearch } from "@tabler/icons-react";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";

import { Boundary } from "@/components/Boundary";
import { ConfirmHost } from "@/components/confirm";
import { Loading } from "@/components/Loading";
import { keyboard, useShortcuts } from "./keyboard";
import { DESTINATIONS } from "./navigation";
import { Logo } from "./Logo";
import { OfflineNotice } from "./OfflineNotice";
import { SessionDialog } from "./SessionDialog";
import { ShortcutDialog } from "./ShortcutDialog";
import { Side } from "./Side";
import css from "./Shell.module.css";

const Palette = lazy(() => import("./Palette").then((file) => ({ default: file.Palette })));

/** What every page has around it. */
export function Shell() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [menu, { open: openMenu, close: closeMenu }] = useDisclosure();
  const [palette, { open: openPalette, close: closePalette }] = useDisclosure();
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure();

  useEffect(() => {
    document.addEventListener("keydown", keyboard.press);
    return () => document.removeEventListener("keydown", keyboard.press);
  }, []);
  useShortcuts(t("shortcuts.everywhere"), [
    { keys: "mod+k", text: t("shortcuts.palette"), run: openPalette },
    { keys: "?", text: t("shortcuts.help"), run: openHelp },
    ...DESTINATIONS.map(({ to, text, key }) => ({
      keys: `g ${key}`,
      text: t("shortcuts.goTo", { page: t(text) }),
      run: () => void navigate({ to }),
    })),
  ]);

  return (
    <div className={css.shell}>
      <a className={css.skip} href="#content">
        {t("skip")}
      </a>
      <header className={css.top}>
        <ActionIcon aria-label={t("nav.open")} onClick={openMenu} size="lg">
          <IconMenu2 size={20} />
        </ActionIcon>
        <Link to="/" className={css.logo}>
          <Logo />
        </Link>
        <ActionIcon aria-label={t("palette.open")} onClick={openPalette} size="lg">
          <IconSearch size={19} />
        </ActionIcon>
      </header>
      <aside className={css.side} aria-label={t("nav.side")}>
        <Side onSearch={openPalette} onHelp={openHelp} />
      </aside>
      <Drawer opened={menu} onClose={closeMenu} size="17rem" padding={0} withCloseButton={false} title={t("nav.name")}>
        <Side onSearch={openPalette} onHelp={openHelp} onGone={closeMenu} />
      </Drawer>
      <main id="content" className={css.main} tabIndex={-1}>
        <OfflineNotice />
        <Boundary key={pathname}>
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </Boundary>
      </main>
      {palette && (
        <Suspense>
          <Palette onClose={closePalette} />
        </Suspense>
      )}
      <ShortcutDialog opened={help} onClose={closeHelp} />
      <SessionDialog />
      <ConfirmHost />
    </div>
  );
}
