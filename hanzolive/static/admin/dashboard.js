// Keeps the dashboard's figures current: asks for all of them every few seconds, while somebody looks at the page.
// The server words every number; here they are only put in their places.
(() => {
  const page = document.getElementById("dashboard");
  const every = Number(page.dataset.refresh) * 1000;
  const trouble = page.querySelector("[data-trouble]");

  const fill = (table, rows) => {
    table.replaceChildren(
      ...rows.map((row) => {
        const line = document.createElement("tr");
        line.append(
          ...row.map((text) => {
            const cell = document.createElement("td");
            cell.textContent = text;
            return cell;
          }),
        );
        return line;
      }),
    );
  };

  const draw = (canvas, { labels, datasets }) => {
    const chart = Chart.getChart(canvas);
    if (!chart) return;
    chart.data.labels = labels;
    // The colours that are there were resolved from the theme's when the chart was made.
    datasets.forEach(({ data }, index) => {
      chart.data.datasets[index].data = data;
    });
    chart.update("none");
  };

  const show = ({ as_of, cut, figures, tables, charts }) => {
    page.querySelector("[data-as-of]").textContent = as_of;
    page.querySelector("[data-cut]").hidden = !cut;
    for (const place of page.querySelectorAll("[data-figure]")) place.textContent = figures[place.dataset.figure];
    for (const table of page.querySelectorAll("[data-table]")) {
      const rows = tables[table.dataset.table];
      fill(table, rows);
      page.querySelector(`[data-empty="${table.dataset.table}"]`).hidden = rows.length > 0;
    }
    for (const canvas of page.querySelectorAll("[data-chart]")) draw(canvas, charts[canvas.dataset.chart]);
  };

  const say = (words) => {
    trouble.textContent = words;
    trouble.hidden = words === "";
  };

  const refresh = async () => {
    try {
      const answer = await fetch(page.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 403) say("You are signed out. Reload the page to sign in.");
      else if (!answer.ok) say("The server has trouble; these figures stand still.");
      else {
        show(await answer.json());
        say("");
      }
    } catch {
      say("The server cannot be reached; these figures stand still.");
    }
  };

  let asking = false;
  const ask = async () => {
    if (asking || document.hidden) return;
    asking = true;
    await refresh();
    asking = false;
  };
  setInterval(ask, every);
  document.addEventListener("visibilitychange", ask);
  // unfold makes the charts on `load` too, and before this: then they are drawn in the panel's own font.
  window.addEventListener("load", () => {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    for (const canvas of page.querySelectorAll("[data-chart]")) {
      const chart = Chart.getChart(canvas);
      if (!chart) continue;
      // One bar a minute, of all that ended in it.
      if (canvas.dataset.type === "bar") for (const axis of ["x", "y"]) chart.options.scales[axis].stacked = true;
      chart.update("none");
    }
  });
})();
