/** How a preview is looked at: on a phone or a desktop, light or dark, in which language. */
import { SegmentedControl, Select } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile, type TablerIcon } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useBuilder } from "./state";
import { languagesOf } from "./TextsInput";
import css from "./Builder.module.css";

export type Device = "phone" | "desktop";
export type Scheme = "light" | "dark";

export interface Look {
  device: Device;
  scheme: Scheme;
  language: string;
  languages: string[];
  look: (device: Device) => void;
  light: (scheme: Scheme) => void;
  read: (language: string) => void;
}

export function useLook(): Look {
  const { i18n } = useTranslation("builder");
  const { drawn } = useBuilder();
  const [device, look] = useState<Device>("phone");
  const [scheme, light] = useState<Scheme>("light");
  const [chosen, read] = useState<string>();
  const spoken = languagesOf(drawn.value);
  const language = chosen ?? (spoken.includes(i18n.language) ? i18n.language : (spoken[0] ?? i18n.language));
  return { device, scheme, language, languages: [...new Set([...spoken, "en", "pl", language])], look, light, read };
}

export function LookControls({ device, scheme, language, languages, look, light, read }: Look) {
  const { t, i18n } = useTranslation("builder");
  return (
    <div className={css.controls}>
      <SegmentedControl<Device>
        aria-label={t("preview.device")}
        value={device}
        onChange={look}
        data={[
          { value: "phone", label: <Sign icon={IconDeviceMobile} text={t("preview.phone")} /> },
          { value: "desktop", label: <Sign icon={IconDeviceDesktop} text={t("preview.desktop")} /> },
        ]}
      />
      <SegmentedControl<Scheme>
        aria-label={t("preview.scheme")}
        value={scheme}
        onChange={light}
        data={[
          { value: "light", label: t("preview.light") },
          { value: "dark", label: t("preview.dark") },
        ]}
      />
      <Select
        aria-label={t("preview.language")}
        w="8rem"
        allowDeselect={false}
        value={language}
        data={languages.map((code) => ({ value: code, label: new Intl.DisplayNames(i18n.language, { type: "language" }).of(code) ?? code }))}
        onChange={(code) => code && read(code)}
      />
    </div>
  );
}

function Sign({ icon: Icon, text }: { icon: TablerIcon; text: string }) {
  return (
    <span className={css.label}>
      <Icon size={15} aria-hidden /> {text}
    </span>
  );
}
