import { IconLock } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "@/app/auth";
import { Empty } from "@/components/Empty";
import { PageHeader } from "@/components/PageHeader";

/** A section that is for those with a permission; others are told. */
export function Needs({ permission, title, children }: { permission: string; title: string; children: ReactNode }) {
  const { t } = useTranslation(["settings", "common"]);
  if (useMay(permission)) return children;
  return (
    <>
      <PageHeader title={title} />
      <Empty icon={IconLock} title={t("locked")} text={t("common:forbidden", { permission })} />
    </>
  );
}
