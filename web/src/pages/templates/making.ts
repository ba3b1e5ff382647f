/** What a definition needs before it can be pushed: which tables are made, which fields are added, and doing it. */
import { api, got, type Schemas } from "@/api/client";
import { keepScenarios } from "../definitions/queries";

export interface NeededTable {
  name: string;
  /** What `POST /tables` takes. */
  body: Record<string, unknown>;
}

interface Field {
  name: string;
  type: string;
}

export interface TableThere {
  name: string;
  fields: Field[];
}

/** What becomes of one table. */
export interface TablePlan {
  name: string;
  body: Record<string, unknown>;
  /** Undefined where the table is not there yet. */
  there: TableThere | undefined;
  /** The fields that it gets, by name. */
  added: string[];
  /** Fields that are there and of another type. */
  otherwise: string[];
}

const fieldsOf = (body: Record<string, unknown>) => body["fields"] as Field[];

/** Which tables are made, and what is added to those that are there. Nothing is ever taken away. */
export function planOf(needed: readonly NeededTable[], tables: readonly TableThere[]): TablePlan[] {
  return needed.map(({ name, body }) => {
    const there = tables.find((table) => table.name === name);
    const known = new Map(there?.fields.map((field) => [field.name, field.type]));
    return {
      name,
      body,
      there,
      added: fieldsOf(body).filter((field) => !known.has(field.name)).map((field) => field.name),
      otherwise: fieldsOf(body).filter((field) => known.has(field.name) && known.get(field.name) !== field.type).map((field) => field.name),
    };
  });
}

/** Whether something has to be done to tables. */
export const changesTables = (plan: readonly TablePlan[]): boolean => plan.some((table) => !table.there || table.added.length > 0);

/** Make the tables, in their order, push the text as a draft, and keep its scenarios where it has none. What was done
 * once is not done again. */
export async function make(plan: readonly TablePlan[], text: string, scenarios: string): Promise<Schemas["PushedAnswer"]> {
  for (const { name, body, there, added } of plan) {
    if (!there) await got(api.POST("/tables", { body: body as never }));
    else if (added.length > 0) {
      const fields = [...there.fields, ...fieldsOf(body).filter((field) => added.includes(field.name))];
      await got(api.PATCH("/tables/{tableId}", { params: { path: { tableId: name } }, body: { fields } as never }));
    }
  }
  const pushed = await got(
    api.POST("/definitions", {
      params: { query: { publish: false } },
      body: text as never,
      bodySerializer: (body) => body,
      headers: { "Content-Type": "application/yaml" },
    }),
  );
  const path = { definitionId: pushed.id };
  const kept = scenarios ? await got(api.GET("/definitions/{definitionId}/scenarios", { params: { path } })) : undefined;
  if (kept?.version === 0) await keepScenarios(pushed.id, scenarios, 0);
  return pushed;
}
