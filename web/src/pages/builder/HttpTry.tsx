/** An `http` step tried for real: the server sends its request once, as a run would, with sample values. */
import { Button } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconSend } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { api, got, type Schemas } from "@/api/client";
import { valueAt } from "@/builder/edits";
import { readsIn } from "@/builder/samples";
import type { Step } from "@/builder/steps";
import { Allowed } from "@/components/Allowed";
import { confirm } from "@/components/confirm";
import { Failure } from "@/components/Failure";
import { Tag } from "@/components/Status";
import { Group, isObject } from "./inputs";
import { Samples, useScope } from "./Samples";
import { useBuilder } from "./state";
import css from "./Builder.module.css";

type Trial = Schemas["HttpTryAnswer"];

/** Methods that change nothing there. */
const SAFE = new Set(["GET", "HEAD"]);

export function HttpTry({ step }: { step: Step }) {
  const { t } = useTranslation("builder");
  const { text, parsed, lastCheck } = useBuilder();
  const value = valueAt(parsed, [...step.path, "http"]);
  const written = JSON.stringify(value ?? {});
  const scope = useScope(written);
  const method = isObject(value) && typeof value["method"] === "string" ? value["method"] : "GET";
  const send = useMutation({ mutationFn: () => got(api.POST("/definitions/try", { body: { text, step: step.id, values: scope } })) });
  const ask = async () => {
    if (!SAFE.has(method)) {
      const answer = await confirm({ title: t("try.sure", { method }), text: t("try.sureText"), action: t("try.sendMethod", { method }) });
      if (answer === undefined) return;
    }
    send.mutate();
  };
  return (
    <Group label={t("try.title")} description={t("try.hint")}>
      <Samples names={readsIn(written)} scope={scope} />
      <Allowed by="can_publish_definitions" reason={lastCheck?.sound ? undefined : t("try.unsound")}>
        <Button variant="default" leftSection={<IconSend size={14} />} loading={send.isPending} onClick={() => void ask()}>
          {t("try.send")}
        </Button>
      </Allowed>
      {send.isError && <Failure error={send.error} />}
      {send.data && <Outcome trial={send.data} />}
    </Group>
  );
}

function Outcome({ trial: { request, response, milliseconds, output, failure } }: { trial: Trial }) {
  const { t } = useTranslation("builder");
  return (
    <div className={css.tried} role="status">
      {request && (
        <Exchange title={t("try.went")} line={`${request.method} ${request.url}`} headers={request.headers} body={request.body ?? ""} />
      )}
      {response && (
        <Exchange title={t("try.came", { milliseconds })} line={String(response.status)} headers={response.headers} body={response.body} note={response.isCut ? t("try.cut", { size: response.size }) : undefined} />
      )}
      {failure ? (
        <>
          <p>
            <Tag tone="bad" icon={IconAlertTriangle} text={t("try.fails")} /> <code>{failure.code}</code>
          </p>
          <p>{failure.message}</p>
          <p className="quiet">{t(failure.retried ? "try.again" : "try.final")}</p>
        </>
      ) : (
        <>
          <p>
            <Tag tone="good" icon={IconCheck} text={t("try.gives")} />
          </p>
          <pre className={css.sent} tabIndex={0} aria-label={t("try.gives")}>
            {JSON.stringify(output, undefined, 2)}
          </pre>
        </>
      )}
    </div>
  );
}

interface ExchangeProps {
  title: string;
  line: string;
  headers: Record<string, string>;
  body: string;
  note?: string | undefined;
}

/** One half of the exchange: its first line, and the rest on request. */
function Exchange({ title, line, headers, body, note }: ExchangeProps) {
  const { t } = useTranslation("builder");
  return (
    <section>
      <h3>{title}</h3>
      <p className="mono">{line}</p>
      <details>
        <summary>{t("try.headers", { count: Object.keys(headers).length })}</summary>
        <pre className={css.sent} tabIndex={0} aria-label={t("try.headers", { count: Object.keys(headers).length })}>
          {Object.entries(headers)
            .map(([name, value]) => `${name}: ${value}`)
            .join("\n")}
        </pre>
      </details>
      {body && (
        <pre className={css.sent} tabIndex={0} aria-label={title}>
          {pretty(body)}
        </pre>
      )}
      {note && <p className="quiet">{note}</p>}
    </section>
  );
}

/** JSON with its levels; whatever else as it is. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), undefined, 2);
  } catch {
    return body;
  }
}
