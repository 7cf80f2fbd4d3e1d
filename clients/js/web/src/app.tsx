/** The entry of the app: reads who is signed in, and shows the page that the address names. */

import { HanzoLiveProvider } from "@hanzo/live";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { readConfig } from "./config";
import { pageAt } from "./routes";
import { SessionPage } from "./session/SessionPage";
import { SessionsPage } from "./sessions/SessionsPage";
import "./styles/app.css";

const root = document.getElementById("app");
if (!root) throw new Error("The page has no #app to draw into.");

const config = readConfig(document);
const page = pageAt(location.pathname);

createRoot(root).render(
  <StrictMode>
    {page.name === "session" ? (
      <HanzoLiveProvider tools="auto" reconnect={{ maxAttempts: Infinity }}>
        <SessionPage session={config.session ?? page.session} config={config} />
      </HanzoLiveProvider>
    ) : (
      <SessionsPage config={config} />
    )}
  </StrictMode>,
);
