import { createRoute, lazyRouteComponent } from "@tanstack/react-router";

import { rootRoute } from "@/app/root";
import { readSearch, type RecordsSearch } from "./search";

const tablesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/records",
  component: lazyRouteComponent(() => import("./TablesPage"), "TablesPage"),
});

const recordsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/records/$table",
  validateSearch: (given: Record<string, unknown>): RecordsSearch => readSearch(given),
  component: lazyRouteComponent(() => import("./RecordsPage"), "RecordsPage"),
});

const newRecordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/records/$table/new",
  component: lazyRouteComponent(() => import("./NewRecordPage"), "NewRecordPage"),
});

const importRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/records/$table/import",
  component: lazyRouteComponent(() => import("./transfer/ImportPage"), "ImportPage"),
});

const duplicatesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/records/$table/duplicates",
  component: lazyRouteComponent(() => import("./transfer/DuplicatesPage"), "DuplicatesPage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/records/$table/settings",
  component: lazyRouteComponent(() => import("./tables/TableEditor"), "TableSettingsPage"),
});

const newTableRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new-table",
  component: lazyRouteComponent(() => import("./tables/TableEditor"), "NewTablePage"),
});

const recordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/records/$table/$recordId",
  component: lazyRouteComponent(() => import("./RecordPage"), "RecordPage"),
});

export const recordsRoutes = [
  tablesRoute,
  recordsRoute,
  newRecordRoute,
  importRoute,
  duplicatesRoute,
  settingsRoute,
  newTableRoute,
  recordRoute,
] as const;
