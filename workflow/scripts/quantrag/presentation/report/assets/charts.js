// The figures: each chosen view drawn with the rows that the switches leave.
const figures = JSON.parse(document.getElementById("figures-data").textContent);
const SWITCHES = {model: "Model", precision: "Precision", retriever: "Retriever"};
const PANEL_WIDTH = 270, AXIS = 62, GAP = 18, HEIGHT = 190, WIDEST = 640;
const off = {model: new Set(), precision: new Set(), retriever: new Set()};
const drawn = new Map();

const CONFIG = {
  background: "transparent",
  font: "system-ui, sans-serif",
  axis: {labelColor: "var(--ink)", titleColor: "var(--ink)", gridColor: "var(--line)", domainColor: "var(--soft)",
    tickColor: "var(--soft)", labelFontSize: 11.5, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 190},
  axisY: {tickCount: 5},
  legend: {orient: "top", title: null, labelColor: "var(--ink)", labelFontSize: 12.5, symbolSize: 70, symbolStrokeWidth: 0, symbolOpacity: 1, labelLimit: 260},
  header: {labelColor: "var(--ink)", labelFontSize: 12.5, labelFontWeight: 600, labelLimit: 260},
  view: {stroke: "var(--line)"},
  rule: {color: "var(--ink)"},
};

function distinct(rows, column) {
  return [...new Set(rows.map(row => row[column]))];
}

function makeSwitches() {
  const box = document.getElementById("switches");
  const rows = figures.flatMap(figure => figure.views.flatMap(view => view.rows));
  for (const [column, title] of Object.entries(SWITCHES)) {
    const names = distinct(rows.filter(row => row[column] !== undefined && row[column] !== "no retrieval"), column);
    if (names.length < 2) continue;
    const set = document.createElement("fieldset");
    set.append(Object.assign(document.createElement("legend"), {textContent: title}));
    for (const name of names) {
      const input = Object.assign(document.createElement("input"), {type: "checkbox", checked: true, name: column, value: name});
      input.addEventListener("change", () => {
        if (input.checked) off[column].delete(name); else off[column].add(name);
        drawn.clear();
        drawVisible();
      });
      const label = document.createElement("label");
      label.append(input, name);
      set.append(label);
    }
    box.append(set);
  }
  box.hidden = !box.children.length;
}

function sized(view, rows, room) {
  const spec = JSON.parse(JSON.stringify(view.spec));
  spec.data = {values: rows};
  spec.config = structuredClone(CONFIG);
  spec.autosize = {type: "pad"};
  const narrow = room < 560;
  spec.config.legend.columns = narrow ? 2 : 8;
  if (narrow) spec.config.axis.labelLimit = 95;
  const height = view.rowHeight ? {step: view.rowHeight} : HEIGHT;
  if (!spec.facet) {
    const widest = Math.min(WIDEST, room - AXIS - 30);
    // A heat map's cells are wider than high, and no wider than they need be.
    spec.width = view.rowHeight ? {step: Math.min(120, (widest - 40) / distinct(rows, "a").length)} : widest;
    spec.height = view.rowHeight ? height : 280;
    return spec;
  }
  const axis = view.rowHeight ? (narrow ? 105 : 150) : AXIS;
  // In the order of the rows; left alone, Vega-Lite sorts by name.
  spec.facet.sort = distinct(rows, "panel");
  const panels = spec.facet.sort.length;
  const columns = Math.max(1, Math.min(panels, Math.floor((room - axis) / (PANEL_WIDTH + GAP))));
  spec.columns = columns;
  spec.spacing = {column: GAP, row: 26};
  spec.spec.width = Math.min(WIDEST, Math.floor((room - axis - GAP * (columns - 1)) / columns) - 8);
  spec.spec.height = height;
  spec.config.header.labelLimit = spec.spec.width;
  return spec;
}

async function draw(element) {
  const figure = figures[element.dataset.figure];
  const view = figure.views[element.querySelector("select").value || 0];
  const chart = element.querySelector(".chart");
  const room = chart.clientWidth;
  const state = `${view.label} ${room}`;
  if (drawn.get(element) === state) return;
  drawn.set(element, state);
  const rows = view.rows.filter(row => Object.keys(off).every(column => !off[column].has(row[column])));
  if (!rows.length) {
    chart.replaceChildren(Object.assign(document.createElement("p"), {className: "empty", textContent: "Nothing is switched on."}));
    return;
  }
  await vegaEmbed(chart, sized(view, rows, room), {actions: false, renderer: "svg", mode: "vega-lite"});
  // The library puts a label of its own there.
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", view.description);
  element.dataset.drawn = view.label;
}

// Figures are drawn when they come near the window: a page of many opens at once.
const near = new Set();
const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    if (entry.isIntersecting) { near.add(entry.target); draw(entry.target); } else near.delete(entry.target);
  }
}, {rootMargin: "300px"});

function drawVisible() {
  near.forEach(draw);
}

makeSwitches();
const elements = [...document.querySelectorAll("[data-figure]")];
for (const element of elements) {
  element.querySelector("select").addEventListener("change", () => draw(element));
  watcher.observe(element);
}
let pause;
addEventListener("resize", () => { clearTimeout(pause); pause = setTimeout(drawVisible, 150); });
addEventListener("beforeprint", () => elements.forEach(draw));
