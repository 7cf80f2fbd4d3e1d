// Dark is the panel's default look, unless the app's pages were made light; whoever chose another one here keeps it.
if (localStorage.getItem("adminTheme") === null) {
  const chosen = localStorage.getItem("hanzo-live:theme");
  localStorage.setItem("adminTheme", JSON.stringify(chosen === "light" ? "light" : "dark"));
}
// The panel's Content-Security-Policy allows no styles in the page; htmx would put some there.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;

// What unfold leaves to the mouse. Icons are words to a screen reader, and what is clicked is no button to a keyboard.
const NAMES = { dock_to_right: "Navigation", close: "Close the navigation", more_horiz: "More" };

document.addEventListener("DOMContentLoaded", () => {
  const pressed = (event) => {
    if (event.target !== event.currentTarget || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.currentTarget.click();
  };
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    const control = icon.closest("a, button, [x-on\\:click]");
    const word = icon.textContent.trim();
    // A control that is nothing but an icon is called by it.
    if (control?.textContent.trim() === word) control.ariaLabel ??= NAMES[word] ?? word.replaceAll("_", " ");
    if (control !== icon) icon.ariaHidden = "true";
  }
  for (const control of document.querySelectorAll("a:not([href])[x-on\\:click], :is(span, div)[x-on\\:click]")) {
    control.role ??= "button";
    control.tabIndex = 0;
    control.addEventListener("keydown", pressed);
  }
});
