import { Button, Menu, Select } from "@mantine/core";
import { IconHandGrab, IconUserShare } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api, got } from "@/api/client";
import { useMay, useMe } from "@/app/auth";
import { useShortcuts } from "@/app/keyboard";
import { Allowed, Reasoned } from "@/components/Allowed";
import { notifyDone, notifyFailed, notifyUndo } from "@/components/confirm";
import { peopleQuery } from "@/components/people";
import type { Review } from "./queries";
import css from "./Review.module.css";

/** Who has the review in hand: take it, take it over, give it to somebody, give it back. */
export function Holder({ review }: { review: Review }) {
  const { t } = useTranslation("reviews");
  const queryClient = useQueryClient();
  const me = useMe();
  const may = useMay("can_review");
  const [giving, setGiving] = useState(false);
  const holder = review.takenBy;
  const mine = holder?.id === me.id;
  const assign = useMutation({
    mutationFn: ({ to, before }: { to: string | null; before: string | null }) =>
      got(
        api.PUT("/workflows/{workflowId}/reviews/{step}/assignment", {
          params: { path: { workflowId: review.workflowId, step: review.step } },
          body: { userId: to, insteadOf: before },
        }),
      ),
    onError: notifyFailed,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["reviews"] }),
  });
  const give = (to: string | null, done: string) => {
    setGiving(false);
    const before = holder?.id ?? null;
    assign.mutate(
      { to, before },
      {
        onSuccess: () =>
          to === me.id && before === null
            ? notifyDone(done)
            : notifyUndo(done, t("take.undo"), () => assign.mutate({ to: before, before: to })),
      },
    );
  };
  const whyNot = review.mayDecide ? undefined : t("why.assigned", { to: review.assignTo ?? "" });
  const take = () => !mine && may && whyNot === undefined && give(me.id, t("take.taken"));
  useShortcuts(t("key.title"), [{ keys: "m", text: t("take.key"), run: take }]);
  return (
    <div className={css.holder}>
      <span className={css.grow} role="status">
        {holder ? (mine ? t("take.mine") : t("take.has", { name: holder.name })) : t("take.nobody")}
      </span>
      <span className={css.together}>
        {mine ? (
          <Button variant="default" size="compact-xs" loading={assign.isPending} onClick={() => give(null, t("take.back"))}>
            {t("take.giveBack")}
          </Button>
        ) : (
          <Allowed by="can_review" reason={whyNot}>
            <Button
              variant="default"
              size="compact-xs"
              leftSection={<IconHandGrab size={14} />}
              loading={assign.isPending}
              onClick={take}
            >
              {holder ? t("take.over") : t("take.do")}
            </Button>
          </Allowed>
        )}
        <Menu opened={giving} onChange={setGiving} position="bottom-end" trapFocus>
          <Menu.Target>
            <Button variant="default" size="compact-xs" leftSection={<IconUserShare size={14} />} aria-haspopup="dialog">
              {t("take.give")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown role="dialog" aria-label={t("take.give")}>
            {giving && <Choice review={review} onChosen={(id, name) => give(id, t("take.given", { name }))} />}
          </Menu.Dropdown>
        </Menu>
      </span>
    </div>
  );
}

/** The people who may decide this review. */
function Choice({ review, onChosen }: { review: Review; onChosen: (id: string, name: string) => void }) {
  const { t } = useTranslation("reviews");
  const { data } = useQuery(peopleQuery);
  const wanted = review.assignTo?.toLowerCase();
  const fit = (data?.data ?? []).filter(
    (one) => one.mayReview && one.id !== review.takenBy?.id && (!wanted || one.roles.some((role) => role.toLowerCase() === wanted)),
  );
  return (
    <div className={css.choice}>
      <Reasoned reason={data && fit.length === 0 ? t("take.nobodyElse") : undefined}>
        <Select
          label={t("take.to")}
          data={fit.map(({ id, name }) => ({ value: id, label: name }))}
          searchable
          data-autofocus
          comboboxProps={{ withinPortal: false }}
          onChange={(id, option) => id && option && onChosen(id, option.label)}
        />
      </Reasoned>
    </div>
  );
}
