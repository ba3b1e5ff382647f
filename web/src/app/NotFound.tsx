import { Button } from "@mantine/core";
import { IconMapOff } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Empty } from "@/components/Empty";
import { PageHeader } from "@/components/PageHeader";

/** An address that leads nowhere. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t("notFound.title")} />
      <Empty icon={IconMapOff} title={t("notFound.text")}>
        <Button component={Link} to="/">
          {t("notFound.home")}
        </Button>
      </Empty>
    </>
  );
}
