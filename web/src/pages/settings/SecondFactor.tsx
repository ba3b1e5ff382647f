import { Button } from "@mantine/core";
import { IconFingerprint, IconShieldCheck, IconShieldOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { under } from "@/app/prefix";
import { Failure } from "@/components/Failure";
import { Loading } from "@/components/Loading";
import { Tag } from "@/components/Status";
import { Time } from "@/components/Time";
import { useRemoval } from "./change";
import { passkeysQuery, type Account } from "./queries";
import css from "./Settings.module.css";

/** Whether a sign-in asks for a code, and the passkeys that sign in without one. They are set up on a page without the dashboard. */
export function SecondFactor({ account }: { account: Account }) {
  const { t } = useTranslation("admin");
  const { data, error, refetch } = useQuery(passkeysQuery);
  const removal = useRemoval(...passkeysQuery.queryKey);
  const remove = ({ id, name }: Schemas["PasskeyAnswer"]) =>
    removal(
      { title: t("factor.removeNamed", { name }), text: t("factor.removeText"), action: t("factor.remove") },
      () => got(api.DELETE("/me/passkeys/{passkeyId}", { params: { path: { passkeyId: id } } })),
      t("factor.removed", { name }),
    );
  return (
    <section className={css.part}>
      <div className={css.partHead}>
        <h2>{t("factor.title")}</h2>
        <Button variant="default" component="a" href={under("/set-up")}>
          {t(account.secondFactor ? "factor.change" : "factor.setUp")}
        </Button>
      </div>
      <ul className={css.sessions}>
        <li>
          <div>
            <div className={css.name}>
              {t("factor.app")}{" "}
              <Tag
                tone={account.secondFactor ? "good" : "warn"}
                icon={account.secondFactor ? IconShieldCheck : IconShieldOff}
                text={t(account.secondFactor ? "on" : "off")}
              />
            </div>
            <span className="quiet">{t(account.secondFactor ? "factor.appOn" : "factor.appOff")}</span>
          </div>
        </li>
        {data?.map((passkey) => (
          <li key={passkey.id}>
            <div>
              <div className={css.name}>
                {t("factor.passkey", { name: passkey.name })} <Tag tone="good" icon={IconFingerprint} text={t("on")} />
              </div>
              <span className="quiet">
                {t("factor.added")} <Time at={passkey.createdAt} />
                {passkey.lastUsedAt && (
                  <>
                    {" · "}
                    {t("factor.used")} <Time at={passkey.lastUsedAt} relative />
                  </>
                )}
              </span>
            </div>
            <Button variant="default" onClick={() => void remove(passkey)} aria-label={t("factor.removeNamed", { name: passkey.name })}>
              {t("factor.remove")}
            </Button>
          </li>
        ))}
      </ul>
      {error && <Failure error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data?.length === 0 && <p className={css.partText}>{t("factor.noPasskeys")}</p>}
    </section>
  );
}
