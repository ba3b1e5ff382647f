import "@xyflow/react/dist/base.css";

import { Controls, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import { IconAlertTriangle, IconCheck, IconClockPause, IconMinus } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { localized } from "@/components/localized";
import { laidOut, pathOf, type Mark, type Point } from "./flowLayout";
import type { Graph, Timeline } from "./types";
import look from "@/components/Graph.module.css";
import css from "./Flow.module.css";

interface Props {
  graph: Graph;
  timeline: Timeline;
  chosen: string | undefined;
  onChoose: (step: string) => void;
}

type FlowNode = Node<Point & { mark: Mark; onChoose: (step: string) => void; chosen: boolean }, "point">;

const SIGNS = { done: IconCheck, failed: IconAlertTriangle, here: IconClockPause, skipped: IconMinus, untouched: undefined };

/** The graph of the definition with the path that the execution took. */
export function Flow({ graph, timeline, chosen, onChoose }: Props) {
  const { t } = useTranslation("executions");
  const layout = useMemo(() => laidOut(graph), [graph]);
  const path = useMemo(() => pathOf(timeline), [timeline]);
  const nodes: FlowNode[] = layout.points.map((point) => ({
    id: point.id,
    type: "point",
    position: { x: point.x, y: point.y },
    width: point.width,
    height: point.height,
    focusable: false,
    data: {
      ...point,
      mark: (point.step && path.get(point.step)) || "untouched",
      chosen: point.step !== null && (chosen === point.step || chosen?.split("~")[0]?.endsWith(point.step) === true),
      onChoose,
    },
  }));
  const taken = (id: string) => {
    const step = layout.points.find((point) => point.id === id)?.step;
    return step ? path.has(step) : true;
  };
  const edges: Edge[] = layout.ways.map((way, place) => ({
    id: `${place}`,
    source: way.source,
    target: way.target,
    label: way.label || undefined,
    // No other line goes through a label.
    zIndex: way.label ? 1 : 0,
    type: "smoothstep",
    focusable: false,
    className: [look.way, taken(way.source) && taken(way.target) && css.taken, way.error && look.error].filter(Boolean).join(" "),
  }));
  return (
    <div className={`${look.frame} ${css.flow}`} role="group" aria-label={t("graph.label")}>
      <ReactFlow<FlowNode>
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        minZoom={0.2}
        maxZoom={1.4}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: 0.08 }}
        disableKeyboardA11y
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function PointNode({ data }: NodeProps<FlowNode>) {
  const { t, i18n } = useTranslation("executions");
  const Sign = SIGNS[data.mark];
  const title = localized(data.title, i18n.language) || data.step || "";
  const ends = data.shape === "start" ? t("graph.begin") : data.shape === "end" ? t("graph.end") : undefined;
  return (
    <>
      <Handle type="target" position={Position.Top} className={look.hidden} />
      {data.step ? (
        <button
          type="button"
          className={css.point}
          data-mark={data.mark}
          data-shape={data.shape}
          aria-pressed={data.chosen}
          aria-label={`${title}: ${t(`graph.${data.mark}`)}`}
          onClick={() => data.onChoose(data.step!)}
        >
          {Sign && <Sign size={14} stroke={2.2} aria-hidden />}
          <span className={look.words}>
            <span className={look.title}>{title}</span>
            <span className={look.kind}>{data.kind}</span>
          </span>
        </button>
      ) : (
        <span className={`${look.dot} ${css.dot}`} data-shape={data.shape}>
          {ends}
        </span>
      )}
      <Handle type="source" position={Position.Bottom} className={look.hidden} />
    </>
  );
}

const TYPES = { point: PointNode };
