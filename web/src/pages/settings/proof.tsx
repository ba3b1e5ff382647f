/** Some changes want a fresh proof of who one is: it is asked for when the server says so, and the change goes on. */
import { Button, Group, Modal, PasswordInput, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import i18n from "i18next";
import { useState, useSyncExternalStore, type FormEvent } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { ApiError } from "@/api/errors";
import { under } from "@/app/prefix";
import { Failure } from "@/components/Failure";
import { accountQuery } from "./queries";

type Answer = (proven: boolean) => void;
let asked: Answer | undefined;
const listeners = new Set<() => void>();

function set(answer: Answer | undefined): void {
  asked = answer;
  for (const listener of listeners) listener();
}

function ask(): Promise<boolean> {
  return new Promise((resolve) =>
    set((proven) => {
      set(undefined);
      resolve(proven);
    }),
  );
}

/** Make a call; where it wants a fresh proof, ask for that and make it again. Fails where none was given. */
export async function proven<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ApiError && error.has("STEP_UP_REQUIRED"))) throw error;
      if (!(await ask())) throw new Error(i18n.t("settings:proof.refused"), { cause: error });
    }
  }
}

/** Where the proof is asked for: once, around the sections. */
export function ProofHost() {
  const answer = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked,
  );
  return answer ? <Ask answer={answer} /> : null;
}

function Ask({ answer }: { answer: Answer }) {
  const { t } = useTranslation(["settings", "common"]);
  const { data: account } = useQuery(accountQuery);
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const byPassword = account?.hasPassword ?? true;
  const prove = async () => {
    // Who signs in elsewhere comes back with a fresh session: the call says whether it is.
    if (!byPassword) return answer(true);
    setBusy(true);
    try {
      await got(api.POST("/me/authenticate", { body: { password } }));
      answer(true);
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void prove();
  };
  return (
    // A dialogue above that of a form: a second header with a cross would be a second banner.
    <Modal.Root opened onClose={() => answer(false)} centered>
      <Modal.Overlay backgroundOpacity={0.45} />
      <Modal.Content>
        <Modal.Body>
          <Modal.Title mb="xs">{t("proof.title")}</Modal.Title>
          <form onSubmit={submit}>
            <Text size="sm">{t(byPassword ? "proof.text" : "proof.elsewhere")}</Text>
            {byPassword && (
              <PasswordInput
                mt="sm"
                size="xs"
                label={t("proof.password")}
                autoComplete="current-password"
                required
                withAsterisk={false}
                maxLength={200}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                visibilityToggleButtonProps={{ "aria-label": t("showPassword") }}
                data-autofocus
              />
            )}
            {failure !== undefined && (
              <div style={{ marginTop: "0.7rem" }}>
                <Failure error={failure} />
              </div>
            )}
            <Group mt="md" justify="space-between">
              <Button variant="subtle" component="a" href={under("/sign-in?again&next=/app/signed-in")} target="_blank" rel="opener">
                {t("proof.signIn")}
              </Button>
              <Group gap="xs">
                <Button variant="default" onClick={() => answer(false)}>
                  {t("common:confirm.no")}
                </Button>
                <Button type="submit" loading={busy}>
                  {t("proof.goOn")}
                </Button>
              </Group>
            </Group>
          </form>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
