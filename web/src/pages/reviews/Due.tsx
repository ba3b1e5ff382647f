import { IconAlarm, IconUsers } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";

import { Tag } from "@/components/Status";
import { useNow } from "@/components/Time";
import { relativeTime } from "@/components/times";
import type { Review } from "./queries";

const SOON = 4 * 3_600_000;

/** How much time is left, and whether two have to decide. */
export function Due({ review }: { review: Review }) {
  const { t, i18n } = useTranslation("reviews");
  const now = useNow();
  const until = review.until ? new Date(review.until) : undefined;
  const soon = until && until.getTime() - now.getTime() < SOON;
  return (
    <>
      {until && <Tag tone={soon ? "bad" : "warn"} icon={IconAlarm} text={t("due", { when: relativeTime(until, now, i18n.language) })} />}{" "}
      {review.fourEyes && <Tag tone="quiet" icon={IconUsers} text={`${review.votes.length}/2`} />}
    </>
  );
}
