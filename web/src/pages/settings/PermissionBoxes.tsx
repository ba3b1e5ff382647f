import { Button, Checkbox } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { Schemas } from "@/api/client";
import { grouped, isKnown } from "./permissions";
import css from "./Settings.module.css";

type Permission = Schemas["PermissionAnswer"];

interface Props {
  offered: readonly Permission[];
  chosen: ReadonlySet<string>;
  onChange: (chosen: ReadonlySet<string>) => void;
}

/** Permissions to choose from, each with its sentence; those that one has not cannot be given. */
export function PermissionBoxes({ offered, chosen, onChange }: Props) {
  const { t } = useTranslation("settings");
  const toggle = (names: readonly string[], on: boolean) => {
    const next = new Set(chosen);
    for (const name of names) if (on) next.add(name);
      else next.delete(name);
    onChange(next);
  };
  return (
    <div className={css.permissions}>
      {grouped(offered).map(({ group, permissions }) => {
        const mine = permissions.filter(({ allowed }) => allowed).map(({ permission }) => permission);
        const all = mine.length > 0 && mine.every((name) => chosen.has(name));
        const title = t(`permissionGroup.${group}`);
        return (
          <fieldset key={group}>
            <legend>
              {title}
              {mine.length > 1 && (
                <Button variant="subtle" size="compact-xs" onClick={() => toggle(mine, !all)} aria-label={t(all ? "noneOf" : "allOf", { group: title })}>
                  {t(all ? "none" : "all")}
                </Button>
              )}
            </legend>
            <div className={css.boxes}>
              {permissions.map(({ permission, allowed, allows }) => (
                <Checkbox
                  key={permission}
                  size="xs"
                  label={<code className="mono">{permission}</code>}
                  description={`${isKnown(permission) ? t(`permission.${permission}`) : allows}${allowed ? "" : ` ${t("notYours")}`}`}
                  checked={chosen.has(permission)}
                  disabled={!allowed}
                  onChange={(event) => toggle([permission], event.currentTarget.checked)}
                />
              ))}
            </div>
          </fieldset>
        );
      })}
    </div>
  );
}
