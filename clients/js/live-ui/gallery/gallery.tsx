/** Every component in its states. `npm run gallery`; with `?server=ws://…` the chat asks that server. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/geist/wght.css";
import "@fontsource-variable/geist-mono/wght.css";
import "../styles/styles.css";
import "./gallery.css";
import { Chats } from "./Chats";
import { Presences } from "./Presences";
import { Signs } from "./Signs";
import { Texts } from "./Texts";
import { Tools } from "./Tools";

const theme = new URLSearchParams(location.search).get("theme");
if (theme) document.documentElement.dataset["theme"] = theme;

const place = document.getElementById("gallery");
if (!place) throw new Error("The page has no #gallery to draw into.");

createRoot(place).render(
  <StrictMode>
    <main className="gallery">
      <h1>Components</h1>
      <p>What @hanzo/live-ui has, each in its states.</p>
      <Chats />
      <Texts />
      <Tools />
      <Signs />
      <Presences />
    </main>
  </StrictMode>,
);
