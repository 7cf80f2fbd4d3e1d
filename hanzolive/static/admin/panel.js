// Dark is the panel's default look, unless the app's pages were made light; whoever chose another one here keeps it.
if (localStorage.getItem("adminTheme") === null) {
  const chosen = localStorage.getItem("hanzo-live:theme");
  localStorage.setItem("adminTheme", JSON.stringify(chosen === "light" ? "light" : "dark"));
}
// The panel's Content-Security-Policy allows no styles in the page; htmx would put some there.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
