import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { PageHeader } from "@/components/PageHeader";

/** Where signing in beside an open page leads: that page goes on by itself. */
export function SignedIn() {
  const { t } = useTranslation();
  useEffect(() => {
    // Only a page that another one opened may close itself.
    if (window.opener) window.close();
  }, []);
  return <PageHeader title={t("signedIn.title")} below={t("signedIn.text")} />;
}
