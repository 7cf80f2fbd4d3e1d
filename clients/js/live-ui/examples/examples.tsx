/** Shows the example that the address names: `?show=ChatApp`. */

import { HanzoLiveProvider } from "@hanzo/live";
import { StrictMode, type ComponentType } from "react";
import { createRoot } from "react-dom/client";
import "../styles/styles.css";
import { App } from "./App";
import { ChatApp } from "./ChatApp";
import { ProgressiveChat } from "./ProgressiveChat";
import { StreamingChat } from "./StreamingChat";
import { ThoughtfulChat } from "./ThoughtfulChat";
import { ToolAwareChat } from "./ToolAwareChat";

const EXAMPLES: Record<string, ComponentType> = {
  App,
  ChatApp,
  ProgressiveChat,
  StreamingChat,
  ThoughtfulChat,
  ToolAwareChat,
};

const place = document.getElementById("examples");
if (!place) throw new Error("The page has no #examples to draw into.");
const Example = EXAMPLES[new URLSearchParams(location.search).get("show") ?? "App"] ?? App;

createRoot(place).render(
  <StrictMode>
    <HanzoLiveProvider url="ws://localhost:3001">
      <Example />
    </HanzoLiveProvider>
  </StrictMode>,
);
