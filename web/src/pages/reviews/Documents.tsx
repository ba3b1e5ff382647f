import { ActionIcon, Button, Group } from "@mantine/core";
import { IconRotateClockwise, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "@/app/auth";
import { useShortcuts } from "@/app/keyboard";
import { under } from "@/app/prefix";
import { Loading } from "@/components/Loading";
import { Section } from "@/components/Section";
import css from "./Review.module.css";

const Pdf = lazy(() => import("./Pdf").then((file) => ({ default: file.Pdf })));

export interface Document {
  resourceId: string;
  resourceName: string;
  type: string;
}

/** The files in what a step came to, wherever they stand in it. */
export function documentsOf(output: unknown): Document[] {
  if (typeof output !== "object" || output === null) return [];
  const one = output as Partial<Document>;
  if (typeof one.resourceId === "string" && typeof one.resourceName === "string") {
    return [{ resourceId: one.resourceId, resourceName: one.resourceName, type: one.type ?? typeOf(one.resourceName) }];
  }
  const all = Object.values(output as Record<string, unknown>).flatMap(documentsOf);
  return [...new Map(all.map((document) => [document.resourceId, document])).values()];
}

function typeOf(name: string): string {
  return name.toLowerCase().endsWith(".pdf") ? "application/pdf" : "image/*";
}

/** Documents beside the data: enlarged, turned, page by page, without a download. */
export function Documents({ documents }: { documents: readonly Document[] }) {
  const { t } = useTranslation("reviews");
  const may = useMay("can_read_attachments");
  const [chosen, setChosen] = useState(0);
  const [zoom, setZoom] = useState(1);
  const [turned, setTurned] = useState(0);
  useShortcuts(t("documents"), [
    { keys: "+", text: t("document.larger"), run: () => setZoom(Math.min(5, zoom + 0.5)) },
    { keys: "-", text: t("document.smaller"), run: () => setZoom(Math.max(0.5, zoom - 0.5)) },
    { keys: "o", text: t("document.turn"), run: () => setTurned((turned + 90) % 360) },
  ]);
  const document = documents[Math.min(chosen, documents.length - 1)];
  if (!document || !may) return null;
  const isImage = document.type.startsWith("image/");
  // Of what browsers do not show, such as the photos of phones, a copy is kept that they do.
  const address = under(`/resources/${document.resourceId}${isImage ? "?rendition=image" : ""}`);
  return (
    <Section
      title={t("documents")}
      actions={
        <Group gap={2}>
          <ActionIcon aria-label={t("document.smaller")} onClick={() => setZoom(Math.max(0.5, zoom - 0.5))}>
            <IconZoomOut size={17} />
          </ActionIcon>
          <ActionIcon aria-label={t("document.larger")} onClick={() => setZoom(Math.min(5, zoom + 0.5))}>
            <IconZoomIn size={17} />
          </ActionIcon>
          <ActionIcon aria-label={t("document.turn")} onClick={() => setTurned((turned + 90) % 360)}>
            <IconRotateClockwise size={17} />
          </ActionIcon>
        </Group>
      }
    >
      {documents.length > 1 && (
        <Group gap={4} mb="xs">
          {documents.map((one, place) => (
            <Button
              key={one.resourceId}
              size="compact-xs"
              variant={place === chosen ? "light" : "subtle"}
              aria-pressed={place === chosen}
              onClick={() => setChosen(place)}
            >
              {one.resourceName}
            </Button>
          ))}
        </Group>
      )}
      <div className={css.document} tabIndex={0} role="group" aria-label={document.resourceName}>
        {isImage ? (
          <img
            src={address}
            alt={document.resourceName}
            style={{ width: `${zoom * 100}%`, rotate: `${turned}deg` }}
          />
        ) : document.type === "application/pdf" ? (
          <Suspense fallback={<Loading />}>
            <Pdf address={address} zoom={zoom} turned={turned} />
          </Suspense>
        ) : (
          <a href={address}>{document.resourceName}</a>
        )}
      </div>
    </Section>
  );
}
