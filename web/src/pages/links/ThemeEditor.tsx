import { Button, FileButton, Group, SegmentedControl, Select, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck, IconDeviceDesktop, IconDeviceMobile, IconPhoto, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { ApiError } from "@/api/errors";
import { under } from "@/app/prefix";
import { Allowed } from "@/components/Allowed";
import { notifyDone } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Section } from "@/components/Section";
import { Tag } from "@/components/Status";
import { asBody, changedOf, COLOUR, contrast, PAIRS, themeQuery, type Palette, type Theme } from "./theme";
import css from "./Links.module.css";

const FONTS = ["system", "humanist", "geometric", "rounded", "serif"] as const;
const COLOURS = ["accent", "accentText", "background", "surface", "text"] as const;
const SCREENS = ["start", "form", "end"] as const;
const PAGE_LANGUAGES = ["en", "pl", "ar", "cs", "de", "es", "fr", "it", "ro", "uk"];
const LARGEST_LOGO = 30_000;

type Scheme = "light" | "dark";

/** How end users see the pages: edited beside a page that shows it at once. */
export function ThemeEditor() {
  const { t } = useTranslation("links");
  const queryClient = useQueryClient();
  const { data: kept } = useSuspenseQuery(themeQuery);
  // What the changes are made of: somebody else may save meanwhile.
  const [base, setBase] = useState<Theme>(kept);
  const [theme, setTheme] = useState<Theme>(base);
  const [scheme, setScheme] = useState<Scheme>("light");
  const [tooLarge, setTooLarge] = useState(false);
  const save = useMutation({
    mutationFn: () => got(api.PUT("/theme", { body: asBody(theme) })),
    onSuccess: (saved) => {
      setTheme(saved);
      setBase(saved);
      queryClient.setQueryData(themeQuery.queryKey, saved);
      notifyDone(t("theme.saved"));
    },
  });
  const takeOver = useMutation({
    mutationFn: () => queryClient.fetchQuery({ ...themeQuery, staleTime: 0 }),
    onSuccess: (now) => {
      setTheme(changedOf(base, theme, now));
      setBase(now);
      save.reset();
    },
  });
  const isOvertaken = save.error instanceof ApiError && save.error.has("THEME_CHANGED");
  const palette = theme.colours[scheme];
  const setColour = (name: keyof Palette, value: string) =>
    setTheme({ ...theme, colours: { ...theme.colours, [scheme]: { ...palette, [name]: value } } });
  const readLogo = (file: File | null) => {
    if (!file) return;
    setTooLarge(file.size > LARGEST_LOGO);
    if (file.size > LARGEST_LOGO) return;
    const reader = new FileReader();
    reader.onload = () => setTheme({ ...theme, logo: reader.result as string });
    reader.readAsDataURL(file);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const changed = JSON.stringify(asBody(theme)) !== JSON.stringify(asBody(base));
  return (
    <div className={css.editor}>
      <form onSubmit={submit} aria-label={t("tab.theme")}>
        <Stack gap="sm">
          <TextInput label={t("theme.name")} description={t("theme.nameHint")} maxLength={80} value={theme.name} onChange={(event) => setTheme({ ...theme, name: event.currentTarget.value })} />
          <Group align="center" gap="sm">
            {theme.logo && <img src={theme.logo} alt={t("theme.logo")} className={css.logo} />}
            <FileButton accept="image/png,image/jpeg,image/webp" onChange={readLogo}>
              {(props) => (
                <Button {...props} variant="default" leftSection={<IconPhoto size={15} />}>
                  {t("theme.chooseLogo")}
                </Button>
              )}
            </FileButton>
            {theme.logo && (
              <Button variant="subtle" leftSection={<IconTrash size={14} />} onClick={() => setTheme({ ...theme, logo: null })}>
                {t("theme.noLogo")}
              </Button>
            )}
          </Group>
          {tooLarge && (
            <p role="alert" className={css.wrong}>
              {t("theme.logoTooLarge")}
            </p>
          )}
          <Select
            label={t("theme.font")}
            data={FONTS.map((value) => ({ value, label: t(`font.${value}`) }))}
            value={theme.font}
            allowDeselect={false}
            onChange={(value) => value && setTheme({ ...theme, font: value })}
          />
          <SegmentedControl
            aria-label={t("theme.scheme")}
            value={scheme}
            onChange={(value) => setScheme(value)}
            data={[
              { value: "light", label: t("theme.light") },
              { value: "dark", label: t("theme.dark") },
            ]}
          />
          {COLOURS.map((name) => (
            <Colour key={`${scheme} ${name}`} label={t(`colour.${name}`)} value={palette[name]} onChange={(value) => setColour(name, value)} />
          ))}
          <Section title={t("theme.contrast")}>
            <ul className={css.pairs}>
              {PAIRS.map(([front, back, needed]) => {
                const ratio = contrast(palette[front], palette[back]);
                const good = ratio >= needed;
                return (
                  <li key={`${front} ${back}`}>
                    <Tag tone={good ? "good" : "bad"} icon={good ? IconCheck : IconAlertTriangle} text={`${ratio.toFixed(1)} : 1`} />
                    {t("theme.on", { front: t(`colour.${front}`), back: t(`colour.${back}`) })}
                    {!good && <span className="quiet">{t("theme.needs", { needed })}</span>}
                  </li>
                );
              })}
            </ul>
          </Section>
          {save.isError && <Failure error={save.error} />}
          {isOvertaken && (
            <Button variant="default" loading={takeOver.isPending} onClick={() => takeOver.mutate()}>
              {t("theme.takeOver")}
            </Button>
          )}
          <Group>
            <Allowed by="can_manage_themes" reason={changed ? undefined : t("theme.same")}>
              <Button type="submit" loading={save.isPending}>
                {t("theme.save")}
              </Button>
            </Allowed>
            {changed && (
              <Button variant="subtle" onClick={() => setTheme(base)}>
                {t("theme.reset")}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
      <Preview theme={theme} scheme={scheme} />
    </div>
  );
}

/** A colour by its digits, or chosen from the browser's own chooser. */
function Colour({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation("links");
  const [text, setText] = useState<string>();
  const shown = text ?? value;
  const wrong = !COLOUR.test(shown);
  return (
    <div className={css.colour}>
      <input type="color" aria-label={t("theme.choose", { what: label })} value={value} onChange={(event) => (setText(undefined), onChange(event.currentTarget.value))} />
      <TextInput
        label={label}
        value={shown}
        error={wrong ? t("theme.noColour") : undefined}
        maxLength={7}
        onChange={(event) => {
          const next = event.currentTarget.value;
          setText(next);
          if (COLOUR.test(next)) onChange(next.toLowerCase());
        }}
        onBlur={() => !wrong && setText(undefined)}
      />
    </div>
  );
}

/** A page with the theme that is being edited. */
function Preview({ theme, scheme }: { theme: Theme; scheme: Scheme }) {
  const { t, i18n } = useTranslation("links");
  const [screen, setScreen] = useState<(typeof SCREENS)[number]>("form");
  const [device, setDevice] = useState("phone");
  const [language, setLanguage] = useState(i18n.language === "pl" ? "pl" : "en");
  const { name, font, colours } = theme;
  const [draft] = useDebouncedValue(JSON.stringify({ name: name || null, font, colours }), 300);
  const address = under(`/theme/preview?${new URLSearchParams({ draft, screen, scheme, lang: language }).toString()}`);
  return (
    <Section
      title={t("preview.title")}
      actions={
        <Group gap="xs">
          <SegmentedControl
            aria-label={t("preview.screen")}
            value={screen}
            onChange={(value) => setScreen(value)}
            data={SCREENS.map((value) => ({ value, label: t(`preview.${value}`) }))}
          />
          <SegmentedControl
            aria-label={t("preview.device")}
            value={device}
            onChange={setDevice}
            data={[
              { value: "phone", label: <Icon icon={IconDeviceMobile} text={t("preview.phone")} /> },
              { value: "desktop", label: <Icon icon={IconDeviceDesktop} text={t("preview.desktop")} /> },
            ]}
          />
          <Select
            aria-label={t("preview.language")}
            w="8rem"
            data={PAGE_LANGUAGES.map((code) => ({ value: code, label: new Intl.DisplayNames(i18n.language, { type: "language" }).of(code) ?? code }))}
            value={language}
            allowDeselect={false}
            onChange={(value) => value && setLanguage(value)}
          />
        </Group>
      }
    >
      <div className={css.stage}>
        <iframe className={css.frame} data-device={device} src={address} title={t("preview.title")} sandbox="allow-same-origin" />
      </div>
    </Section>
  );
}

function Icon({ icon: Sign, text }: { icon: typeof IconDeviceMobile; text: string }) {
  return (
    <span className={css.device}>
      <Sign size={15} aria-hidden /> {text}
    </span>
  );
}
