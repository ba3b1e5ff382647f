import { Button } from "@mantine/core";
import { IconFileUpload, IconTemplate } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

/** Where a definition can begin: at a template, or at a file that somebody has. */
export function Beginnings() {
  const { t } = useTranslation("templates");
  return (
    <>
      <Button component={Link} to="/definitions/templates" variant="default" leftSection={<IconTemplate size={15} />}>
        {t("title")}
      </Button>
      <Button component={Link} to="/definitions/import" variant="default" leftSection={<IconFileUpload size={15} />}>
        {t("file.title")}
      </Button>
    </>
  );
}
