import { Button, Switch, TextInput } from "@mantine/core";
import { IconBolt } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Empty } from "@/components/Empty";
import { Json } from "@/components/Json";
import { Time } from "@/components/Time";
import { matches, MISSED, type LiveEvent } from "@/live/stream";
import { useLive } from "@/live/useLive";
import css from "./Webhooks.module.css";

const ALL = ["workflow.*", "link.*", "record.*", "review.*", "email.*", "webhook.*"] as const;
const MOST = 200;

/** Events as they come, the newest first; held still while they are read. */
export function Events() {
  const { t } = useTranslation("webhooks");
  const [events, setEvents] = useState<LiveEvent[]>([]);
  const [held, setHeld] = useState<LiveEvent[]>([]);
  const [paused, setPaused] = useState(false);
  const [filter, setFilter] = useState("");
  useLive(ALL, (event) => {
    if (event.type === MISSED) return;
    if (paused) setHeld((before) => [event, ...before].slice(0, MOST));
    else setEvents((before) => [event, ...before].slice(0, MOST));
  });
  const goOn = () => {
    setEvents([...held, ...events].slice(0, MOST));
    setHeld([]);
    setPaused(false);
  };
  const wanted = filter.trim();
  const shown = events.filter((event) => !wanted || matches(wanted, event.type) || event.type.includes(wanted));
  return (
    <>
      <div className={css.bar}>
        <TextInput aria-label={t("events.filter")} placeholder="workflow.*" value={filter} onChange={(event) => setFilter(event.currentTarget.value)} />
        <Switch size="xs" label={t("events.pause")} checked={paused} onChange={(event) => (event.currentTarget.checked ? setPaused(true) : goOn())} />
        <span role="status">
          {held.length > 0 && (
            <Button variant="subtle" size="compact-sm" onClick={goOn}>
              {t("events.held", { count: held.length })}
            </Button>
          )}
        </span>
      </div>
      {shown.length === 0 && <Empty icon={IconBolt} title={t("events.none")} text={t("events.noneText")} />}
      <ul className={css.events}>
        {shown.map((event) => (
          <li key={event.id}>
            <details>
              <summary>
                <span className="mono">{event.type}</span>{" "}
                <span className="quiet">
                  <Time at={event.createdDate} />
                </span>
              </summary>
              <Json value={event} />
            </details>
          </li>
        ))}
      </ul>
    </>
  );
}
