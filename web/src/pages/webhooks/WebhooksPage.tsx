import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { CurlButton } from "@/components/CurlButton";
import { Locked } from "@/components/Locked";
import { PageHeader } from "@/components/PageHeader";
import { PageTabs } from "@/components/PageTabs";
import { Deliveries } from "./Deliveries";
import { Endpoints } from "./Endpoints";
import { Events } from "./Events";
import { TABS, type Tab } from "./search";
import { Signature } from "./Signature";
import { Version1 } from "./Version1";

const route = getRouteApi("/webhooks");

/** What other programs hear of this workspace, and how: endpoints, deliveries, events, signatures, old clients. */
export function WebhooksPage() {
  const { t } = useTranslation("webhooks");
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const show = (tab: Tab) => void navigate({ search: tab === "endpoints" ? {} : { tab }, replace: true });
  return (
    <>
      <PageHeader
        title={t("title")}
        below={t("below")}
        actions={
          <CurlButton
            calls={[
              { text: t("tab.endpoints"), call: { path: "/webhooks/endpoints" } },
              { text: t("tab.deliveries"), call: { path: "/webhooks/deliveries" } },
              { text: t("tab.events"), call: { path: "/events", query: { wait: 30 } } },
              { text: t("tab.version1"), call: { path: "/deprecations" } },
            ]}
          />
        }
      />
      <PageTabs
        label={t("parts")}
        value={search.tab ?? "endpoints"}
        onChange={show}
        tabs={TABS}
        nameOf={(tab) => t(`tab.${tab}`)}
        panels={{
          endpoints: (
            <Locked by="can_view_webhooks">
              <Endpoints />
            </Locked>
          ),
          deliveries: (
            <Locked by="can_view_webhooks">
              <Deliveries />
            </Locked>
          ),
          events: <Events />,
          signature: <Signature />,
          version1: <Version1 />,
        }}
      />
    </>
  );
}
