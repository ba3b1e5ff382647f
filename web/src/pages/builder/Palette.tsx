import { useTranslation } from "react-i18next";

import { grouped } from "@/builder/kinds";
import { useStepActions } from "./actions";
import { begin, finish } from "./drag";
import { KindIcon } from "./KindIcon";
import { useBuilder } from "./state";
import { useKindWords } from "./words";
import css from "./Builder.module.css";

/** Every kind of step: clicked it stands behind what is selected, dragged it stands where it is dropped. */
export function Palette() {
  const { language } = useBuilder();
  const { t } = useTranslation("builder");
  const words = useKindWords();
  const actions = useStepActions();
  return (
    <div className={css.palette} role="group" aria-label={t("palette")}>
      {grouped(language.kinds.keys()).map(([group, kinds]) => (
        <div key={group} className={css.paletteGroup}>
          <h2>{t(`group.${group}`)}</h2>
          {kinds.map((kind) => {
            return (
              <button
                key={kind}
                type="button"
                className={css.kind}
                draggable
                title={language.kinds.get(kind)?.description}
                onClick={() => actions.add(kind)}
                onDragStart={(event) => begin(event, { kind })}
                onDragEnd={finish}
              >
                <KindIcon kind={kind} />
                {words(kind)}
              </button>
            );
          })}
        </div>
      ))}
    </div>
  );
}
