/** Makes a key that has no text an error of the type checker. One line a page. */
import "i18next";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: {
      admin: typeof import("./en/admin.json");
      builder: typeof import("./en/builder.json");
      common: typeof import("./en/common.json");
      audit: typeof import("./en/audit.json");
      definitions: typeof import("./en/definitions.json");
      grid: typeof import("./en/grid.json");
      executions: typeof import("./en/executions.json");
      links: typeof import("./en/links.json");
      records: typeof import("./en/records.json");
      reviews: typeof import("./en/reviews.json");
      settings: typeof import("./en/settings.json");
      tables: typeof import("./en/tables.json");
      templates: typeof import("./en/templates.json");
      today: typeof import("./en/today.json");
      transfer: typeof import("./en/transfer.json");
      webhooks: typeof import("./en/webhooks.json");
    };
  }
}
