import { Button, PasswordInput, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { Notice } from "@/components/Notice";
import { signatureOf } from "./signing";
import css from "./Webhooks.module.css";

const TOLERANCE = 300;

interface Verdict {
  good: boolean;
  expected: string;
  /** Seconds since it was sent; receivers refuse what is much older. */
  age: number;
}

/** Checks a signature the way that a receiver does, in the browser alone: the secret goes nowhere. */
export function Signature() {
  const { t } = useTranslation("webhooks");
  const [secret, setSecret] = useState("");
  const [id, setId] = useState("");
  const [timestamp, setTimestamp] = useState("");
  const [signature, setSignature] = useState("");
  const [body, setBody] = useState("");
  const [verdict, setVerdict] = useState<Verdict>();
  const [wrong, setWrong] = useState<string>();
  const check = async () => {
    try {
      const expected = await signatureOf(secret.trim(), id.trim(), timestamp.trim(), body);
      const good = signature.trim().split(/\s+/).includes(expected);
      setVerdict({ good, expected, age: Math.round(Date.now() / 1000 - Number(timestamp)) });
      setWrong(undefined);
    } catch {
      setVerdict(undefined);
      setWrong(t("signature.secretWrong"));
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void check();
  };
  return (
    <form onSubmit={submit} className={css.check}>
      <p className="quiet">{t("signature.text")}</p>
      <PasswordInput size="xs" label={t("signature.secret")} placeholder="whsec_…" value={secret} onChange={(event) => setSecret(event.currentTarget.value)} error={wrong} autoComplete="off" required />
      <TextInput label="webhook-id" value={id} onChange={(event) => setId(event.currentTarget.value)} required />
      <TextInput label="webhook-timestamp" value={timestamp} onChange={(event) => setTimestamp(event.currentTarget.value)} required />
      <TextInput label="webhook-signature" placeholder="v1,…" value={signature} onChange={(event) => setSignature(event.currentTarget.value)} required />
      <Textarea label={t("signature.body")} description={t("signature.bodyHint")} value={body} onChange={(event) => setBody(event.currentTarget.value)} autosize minRows={4} required classNames={{ input: "mono" }} />
      <div>
        <Button type="submit">{t("signature.check")}</Button>
      </div>
      <div role="status">
        {verdict && (
          <Notice tone={verdict.good ? "busy" : "bad"} title={verdict.good ? t("signature.good") : t("signature.bad")}>
            {!verdict.good && (
              <p className={css.line}>
                {t("signature.expected")} <code>{verdict.expected}</code>
              </p>
            )}
            {Math.abs(verdict.age) > TOLERANCE && <p className={css.line}>{t("signature.old")}</p>}
          </Notice>
        )}
      </div>
    </form>
  );
}
