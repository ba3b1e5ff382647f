import { createTheme, type MantineColorsTuple } from "@mantine/core";

// Every text colour that is made of these has a contrast of 4.5 to 1 on the surfaces that it stands on.
const indigo: MantineColorsTuple = [
  "#eef3ff",
  "#dbe4fb",
  "#b5c8f5",
  "#8caaf0",
  "#6a90eb",
  "#4a76e2",
  "#2f5fd0",
  "#264fb0",
  "#1f4291",
  "#173371",
];

const slate: MantineColorsTuple = [
  "#f6f7f9",
  "#eceef2",
  "#dde1e8",
  "#c3c9d4",
  "#98a1b1",
  "#6c7688",
  "#565f70",
  "#414958",
  "#2b313d",
  "#1b2029",
];

const dark: MantineColorsTuple = [
  "#d9dde5",
  "#b9c0cc",
  "#98a1b1",
  "#6c7688",
  "#3d4553",
  "#2c333f",
  "#222832",
  "#191e27",
  "#12161d",
  "#0c0f14",
];

const SANS = "'Inter Variable', system-ui, 'Segoe UI', sans-serif";

// A dialogue's head is a <header> outside the page's parts, which would be a second banner.
const DIALOG = { header: { role: "presentation" } };

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: 6,
  colors: { indigo, gray: slate, dark },
  fontFamily: SANS,
  fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace",
  headings: { fontFamily: SANS, fontWeight: "620" },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  autoContrast: true,
  components: {
    Badge: { defaultProps: { tt: "none", fw: 560 } },
    Button: { defaultProps: { size: "xs" } },
    TextInput: { defaultProps: { size: "xs" } },
    Textarea: { defaultProps: { size: "xs" } },
    Select: { defaultProps: { size: "xs", allowDeselect: true } },
    MultiSelect: { defaultProps: { size: "xs" } },
    NumberInput: { defaultProps: { size: "xs" } },
    SegmentedControl: { defaultProps: { size: "xs" } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 }, attributes: DIALOG } },
    Drawer: { defaultProps: { attributes: DIALOG } },
    // The place-holder that takes the first focus is a child that a menu must not have.
    Menu: { defaultProps: { shadow: "md", withinPortal: true, withInitialFocusPlaceholder: false } },
    Popover: { defaultProps: { shadow: "md" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
  },
});
