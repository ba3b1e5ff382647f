import "@xyflow/react/dist/base.css";

import { BaseEdge, Controls, getSmoothStepPath, Handle, Position, ReactFlow, ReactFlowProvider, useReactFlow, type Connection, type Edge, type EdgeProps, type Node, type NodeProps } from "@xyflow/react";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState, type DragEvent } from "react";
import { useTranslation } from "react-i18next";

import { boxId, drawn as laidOut, shapeOf, type Box } from "@/builder/flow";
import { everyStep, placeIn, samePath } from "@/builder/steps";
import { useStepActions } from "./actions";
import { begin, current, finish } from "./drag";
import { KindIcon } from "./KindIcon";
import { problemsAt, useBuilder } from "./state";
import { titleOf } from "./Tree";
import { useKindWords } from "./words";
import look from "@/components/Graph.module.css";
import css from "./Canvas.module.css";

const EDGE = 32;
const LEAST_ZOOM = 0.55;

type BoxNode = Node<{ box: Box; isMissed: boolean }, "box">;

/** The steps as a graph, laid out from the text each time. */
export function Canvas({ missed }: { missed: ReadonlySet<string> | undefined }) {
  return (
    <ReactFlowProvider>
      <Drawing missed={missed} />
    </ReactFlowProvider>
  );
}

function Drawing({ missed }: { missed: ReadonlySet<string> | undefined }) {
  const { list, step } = useBuilder();
  const { t } = useTranslation("builder");
  const actions = useStepActions();
  const flow = useReactFlow();
  const host = useRef<HTMLDivElement>(null);
  const shape = useMemo(() => shapeOf(list), [list]);
  const [laid, setLaid] = useState(() => ({ shape, ...laidOut(list) }));
  if (laid.shape !== shape) setLaid({ shape, ...laidOut(list) });
  const { boxes, ways, size } = laid;
  const nodes = useMemo<BoxNode[]>(
    () =>
      boxes.map((box) => ({
        id: box.id,
        type: "box",
        position: { x: box.x, y: box.y },
        width: box.width,
        height: box.height,
        ...(box.parent && { parentId: box.parent }),
        focusable: false,
        data: { box, isMissed: box.step !== undefined && missed?.has(box.step.id) === true },
      })),
    [boxes, missed],
  );
  const edges = useMemo<Edge[]>(
    () =>
      ways.map((way) => ({
        id: way.id,
        source: way.source,
        target: way.target,
        label: shortened(way.label, way.aside ? 20 : 34),
        ...(way.aside ? { type: "aside", sourceHandle: "aside", targetHandle: "aside", ariaLabel: way.label } : { type: "smoothstep" }),
        focusable: false,
        zIndex: 1,
        className: way.error ? `${look.error} ${css.failure}` : look.way!,
      })),
    [ways],
  );
  const chosen = step && boxId(step);
  useEffect(() => {
    if (chosen) void flow.fitView({ nodes: [{ id: chosen }], maxZoom: flow.getZoom(), minZoom: Math.min(flow.getZoom(), 1), duration: 200, padding: 1 });
  }, [chosen, flow]);
  const connect = ({ source, target }: Connection) => {
    const all = everyStep(list);
    const [from, to] = [all.find((one) => boxId(one) === source), all.find((one) => boxId(one) === target)];
    if (from && to && from !== to && samePath(placeIn(from.path).list, placeIn(to.path).list)) actions.connect(from, to);
  };
  return (
    <div ref={host} className={`${look.frame} ${css.canvas}`} role="group" aria-label={t("graph")} data-drawing>
      <ReactFlow<BoxNode>
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        edgeTypes={WAYS}
        nodesDraggable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        onlyRenderVisibleElements
        onConnect={connect}
        minZoom={0.1}
        maxZoom={1.5}
        onInit={(made) => {
          // From the top, as wide as it fits, and never so small that nobody can read it.
          const width = host.current?.clientWidth ?? size.width;
          const zoom = Math.min(1, Math.max(LEAST_ZOOM, width / (size.width + 2 * EDGE)));
          void made.setViewport({ x: (width - size.width * zoom) / 2, y: EDGE / 2, zoom });
        }}
        disableKeyboardA11y
        panOnScroll
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function BoxView({ data: { box, isMissed } }: NodeProps<BoxNode>) {
  const { selected, select, problems, drawn } = useBuilder();
  const { t, i18n } = useTranslation("builder");
  const words = useKindWords();
  const actions = useStepActions();
  const [over, setOver] = useState(false);
  const { step, shape } = box;
  const path = step ? step.path : shape === "branch" ? pathOf(box.id) : undefined;
  const drop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    const what = finish();
    if (!what) return;
    const place = step ? { list: placeIn(step.path).list, index: placeIn(step.path).index + 1 } : path ? { list: path, index: 9999 } : { list: ["steps"], index: shape === "begin" ? 0 : 9999 };
    if ("kind" in what) actions.add(what.kind, clamped(place));
    else if (!samePath(place.list.slice(0, what.step.length), what.step)) actions.move(what.step, clamped(place).list, clamped(place).index);
  };
  const { list } = useBuilder();
  const clamped = (place: { list: readonly (string | number)[]; index: number }) => {
    const size = [list, ...everyStep(list).flatMap((one) => one.lists)].find((one) => samePath(one.path, place.list))?.steps.length ?? 0;
    return { list: place.list, index: Math.min(place.index, size) };
  };
  const target = {
    onDragOver: (event: DragEvent) => {
      if (!current()) return;
      event.preventDefault();
      event.stopPropagation();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: drop,
    "data-over": over || undefined,
  };
  if (!step) {
    if (shape === "branch") {
      return (
        <div className={css.branch} {...target}>
          <span>{box.label}</span>
        </div>
      );
    }
    return (
      <div className={`${look.dot} ${css.dot}`} {...target}>
        <Handle type="target" position={Position.Top} className={look.hidden} isConnectable={false} />
        {t(shape === "begin" ? "begin" : "end")}
        <Handle type="source" position={Position.Bottom} className={look.hidden} isConnectable={false} />
      </div>
    );
  }
  const isChosen = samePath(step.path, selected);
  const wrong = problemsAt(problems, step.path).length > 0;
  return (
    <div className={shape === "group" ? css.group : css.step} data-chosen={isChosen || undefined} data-wrong={wrong || undefined} data-missed={isMissed || undefined} {...target}>
      <Handle type="target" position={Position.Top} className={css.handle} />
      <button type="button" className={`nodrag ${css.head}`} draggable aria-pressed={isChosen} onClick={() => select(step.path)} onDragStart={(event) => begin(event, { step: step.path })} onDragEnd={finish}>
        <KindIcon kind={step.kind} size={16} />
        <span className={look.words}>
          <span className={look.title}>{titleOf(step, i18n.language, drawn.value)}</span>
          <span className={look.kind}>
            {words(step.kind)}
            {step.when !== undefined && ` · ${t("onlyIf")}`}
            {isMissed && (
              <span className={css.missed} title={t("missedHint")}>
                {" "}
                · {t("missed")}
              </span>
            )}
          </span>
        </span>
        {wrong && <IconAlertTriangle size={14} aria-label={t("wrong")} className={css.alert} />}
      </button>
      <Handle type="source" position={Position.Bottom} className={css.handle} title={t("connect")} />
      <Handle id="aside" type="target" position={Position.Right} className={look.hidden} isConnectable={false} />
      <Handle id="aside" type="source" position={Position.Right} className={look.hidden} isConnectable={false} />
    </div>
  );
}

function shortened(text: string, most: number): string | undefined {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text || undefined;
}

/** A way past other steps, or back: what it says stands to the right of it, where no step is. */
function Aside({ sourceX, sourceY, targetX, targetY, label, markerEnd = "" }: EdgeProps) {
  const [path, x, y] = getSmoothStepPath({ sourceX, sourceY, targetX, targetY, sourcePosition: Position.Right, targetPosition: Position.Right });
  return (
    <>
      <BaseEdge path={path} markerEnd={markerEnd} />
      <text x={x + 6} y={y} className={css.words}>
        {label}
      </text>
    </>
  );
}

/** The path of a branch, which its box is named by. */
function pathOf(id: string): (string | number)[] {
  return id.split("/").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

const TYPES = { box: BoxView };
const WAYS = { aside: Aside };
