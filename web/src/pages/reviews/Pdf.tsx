import { useQuery } from "@tanstack/react-query";
import { getDocument, GlobalWorkerOptions, type PDFDocumentProxy } from "pdfjs-dist";
import worker from "pdfjs-dist/build/pdf.worker.min.mjs?url";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { Failure } from "@/components/Failure";

GlobalWorkerOptions.workerSrc = worker;

const MOST_PAGES = 50;

/** The pages of a PDF, painted: nothing in it runs. */
export function Pdf({ address, zoom, turned }: { address: string; zoom: number; turned: number }) {
  const { t } = useTranslation("reviews");
  const { data, error } = useQuery({
    queryKey: ["pdf", address],
    queryFn: () => getDocument({ url: address, withCredentials: true, enableXfa: false }).promise,
    staleTime: Infinity,
    retry: false,
  });
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const count = Math.min(data.numPages, MOST_PAGES);
  return (
    <>
      {Array.from({ length: count }, (_, place) => (
        <PdfPage key={place} pdf={data} number={place + 1} zoom={zoom} turned={turned} />
      ))}
      {data.numPages > count && <p className="quiet">{t("document.more", { count: data.numPages - count })}</p>}
    </>
  );
}

function PdfPage({ pdf, number, zoom, turned }: { pdf: PDFDocumentProxy; number: number; zoom: number; turned: number }) {
  const { t } = useTranslation("reviews");
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let left = false;
    const paint = async () => {
      const page = await pdf.getPage(number);
      if (left || !canvas.current) return;
      const viewport = page.getViewport({ scale: zoom * devicePixelRatio, rotation: (page.rotate + turned) % 360 });
      canvas.current.width = viewport.width;
      canvas.current.height = viewport.height;
      await page.render({ canvas: canvas.current, viewport }).promise;
    };
    void paint().catch(() => undefined);
    return () => {
      left = true;
    };
  }, [pdf, number, zoom, turned]);
  return <canvas ref={canvas} role="img" aria-label={t("document.page", { number })} style={{ width: `${zoom * 100}%` }} />;
}
