import { Menu, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { IconDeviceDesktop, IconLogout, IconMoon, IconSelector, IconSun, type TablerIcon } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { useMe } from "./auth";
import { LANGUAGES, speak, type Language } from "./i18n";
import { under } from "./prefix";
import css from "./Person.module.css";

const SCHEMES: readonly { scheme: MantineColorScheme; icon: TablerIcon }[] = [
  { scheme: "auto", icon: IconDeviceDesktop },
  { scheme: "light", icon: IconSun },
  { scheme: "dark", icon: IconMoon },
];

/** Who is signed in: colours, language, the way out. */
export function UserMenu() {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const name = me.name || me.email || t("user.nobody");
  return (
    <Menu position="top-start" width={220}>
      <Menu.Target>
        <button type="button" className={css.person} aria-label={t("user.menu", { name })}>
          <span className={css.face} data-round data-letter={name.slice(0, 1).toUpperCase()} aria-hidden />
          <span className={css.name}>{name}</span>
          <IconSelector size={15} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("user.colours")}</Menu.Label>
        {SCHEMES.map(({ scheme, icon: Icon }) => (
          <Menu.RadioItem key={scheme} value={scheme} checked={scheme === colorScheme} closeMenuOnClick rightSection={<Icon size={15} />} onChange={() => setColorScheme(scheme)}>
            {t(`user.scheme.${scheme}`)}
          </Menu.RadioItem>
        ))}
        <Menu.Divider />
        <Menu.Label>{t("user.language")}</Menu.Label>
        {(Object.keys(LANGUAGES) as Language[]).map((language) => (
          <Menu.RadioItem key={language} value={language} checked={language === i18n.language} closeMenuOnClick onChange={() => void speak(language)} lang={language}>
            {LANGUAGES[language]}
          </Menu.RadioItem>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={15} />} component="a" href={under("/sign-out")}>
          {t("user.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
