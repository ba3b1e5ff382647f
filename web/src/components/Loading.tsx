import { Skeleton } from "@mantine/core";
import { useTranslation } from "react-i18next";

import css from "./Loading.module.css";

/** What a page looks like before its content is there. */
export function Loading() {
  const { t } = useTranslation();
  return (
    <div role="status" className={css.loading}>
      <span className={css.words}>{t("loading")}</span>
      <Skeleton height={26} width="16rem" />
      <Skeleton height={14} width="26rem" maw="100%" />
      <Skeleton height={180} />
    </div>
  );
}
