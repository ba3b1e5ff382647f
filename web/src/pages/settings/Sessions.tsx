import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { confirm, notifyDone, notifyFailed } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { browserOf } from "./browserOf";
import { sessionsQuery, type Session } from "./queries";
import css from "./Settings.module.css";

/** Where one is signed in, ended one by one or all at once. */
export function Sessions() {
  const { t } = useTranslation("settings");
  const queryClient = useQueryClient();
  const { data, error, refetch } = useQuery(sessionsQuery);
  const end = async (call: () => Promise<unknown>, done: string) => {
    try {
      await call();
      notifyDone(done);
    } catch (error) {
      notifyFailed(error);
    }
    await queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  };
  const endOthers = async () => {
    const sure = await confirm({ title: t("sessions.others"), text: t("sessions.othersText"), action: t("sessions.others"), dangerous: true });
    if (sure !== undefined) await end(() => got(api.DELETE("/me/sessions")), t("sessions.othersDone"));
  };
  const endOne = ({ id }: Session) =>
    end(() => got(api.DELETE("/me/sessions/{sessionId}", { params: { path: { sessionId: id } } })), t("sessions.done"));
  return (
    <section className={css.part}>
      <div className={css.partHead}>
        <h2>{t("sessions.title")}</h2>
        {data && data.data.length > 1 && (
          <Button variant="default" onClick={() => void endOthers()}>
            {t("sessions.others")}
          </Button>
        )}
      </div>
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      <ul className={css.sessions}>
        {data?.data.map((session) => (
          <li key={session.id}>
            <div>
              <div className={css.name} title={session.userAgent}>
                {browserOf(session.userAgent) ?? t("sessions.unknown")} {session.current && <Tag tone="good" text={t("sessions.current")} />}
              </div>
              <span className="quiet">
                {session.address} · {t("sessions.since")} <Time at={session.createdAt} /> · {t("sessions.seen")} <Time at={session.lastSeenAt} relative />
              </span>
            </div>
            {!session.current && (
              <Button variant="default" onClick={() => void endOne(session)}>
                {t("sessions.end")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
