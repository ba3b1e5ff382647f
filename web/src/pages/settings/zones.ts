/** Every time zone that the browser knows, UTC first. */
export const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
export const SHOWN_ZONES = 60;
