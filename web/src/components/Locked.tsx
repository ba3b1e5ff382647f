import { IconLock } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useForbidden } from "./Allowed";
import { Empty } from "./Empty";

/** What is for those with a permission; others are told. */
export function Locked({ by, children }: { by: string; children: ReactNode }) {
  const { t } = useTranslation();
  const forbidden = useForbidden(by);
  return forbidden === undefined ? children : <Empty icon={IconLock} title={t("locked")} text={forbidden} />;
}
