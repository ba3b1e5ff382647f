import { Tooltip } from "@mantine/core";
import { cloneElement, useId, type MouseEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMay, useWhyNot } from "@/app/auth";
import css from "./Allowed.module.css";

interface ControlProps {
  "aria-disabled"?: boolean | undefined;
  "aria-describedby"?: string | undefined;
  "data-disabled"?: boolean | undefined;
  onClick?: ((event: MouseEvent) => void) | undefined;
}

interface Props {
  /** Why it cannot be used now; undefined where it can. */
  reason: string | undefined;
  children: ReactElement<ControlProps>;
}

/** A control that cannot be used says why: to the pointer, the keyboard and the screen reader. */
export function Reasoned({ reason, children }: Props) {
  const id = useId();
  if (reason === undefined) return children;
  const still = cloneElement(children, {
    "aria-disabled": true,
    "aria-describedby": id,
    "data-disabled": true,
    onClick: (event: MouseEvent) => event.preventDefault(),
  });
  return (
    <>
      <Tooltip label={reason} multiline maw={320}>
        {still}
      </Tooltip>
      <span id={id} className={css.words}>
        {reason}
      </span>
    </>
  );
}

/** What is said to somebody who lacks a permission; undefined where they have it. */
export function useForbidden(permission: string): string | undefined {
  const { t } = useTranslation();
  const may = useMay(permission);
  const reason = useWhyNot(permission);
  if (may) return undefined;
  return reason ? t("forbidden", { permission, reason }) : t("forbiddenPlain", { permission });
}

/** A control that needs a permission. */
export function Allowed({ by, children, reason }: { by: string; children: ReactElement<ControlProps>; reason?: string | undefined }) {
  const forbidden = useForbidden(by);
  return <Reasoned reason={forbidden ?? reason}>{children}</Reasoned>;
}
