import "@fontsource-variable/inter/index.css";
import "./styles/mantine";
import "./styles/global.css";

import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Boundary } from "./components/Boundary";
import { startTexts } from "./app/i18n";
import { nonce } from "./app/nonce";
import { queryClient } from "./app/query";
import { theme } from "./app/theme";
import { connection } from "./live/connection";
import { router } from "./router";

async function start(): Promise<void> {
  await startTexts();
  createRoot(document.getElementById("root")!).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={nonce}>
        <Boundary>
          <QueryClientProvider client={queryClient}>
            <Notifications position="bottom-right" autoClose={8000} />
            <RouterProvider router={router} />
          </QueryClientProvider>
        </Boundary>
      </MantineProvider>
    </StrictMode>,
  );
}

connection.watch();
void start();
