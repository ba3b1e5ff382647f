import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { Notice } from "@/components/Notice";
import { useOnline } from "@/live/useLive";

/** Says that the server is away, and catches up when it is back. */
export function OfflineNotice() {
  const { t } = useTranslation();
  const online = useOnline();
  const wasAway = useRef(false);
  const queryClient = useQueryClient();
  useEffect(() => {
    if (online && wasAway.current) void queryClient.invalidateQueries();
    wasAway.current = !online;
  }, [online, queryClient]);
  return (
    <div role="status">
      {!online && (
        <Notice tone="warn" title={t("offline.title")}>
          {t("offline.text")}
        </Notice>
      )}
    </div>
  );
}
