// Tables that a click on a column's head sorts: numbers by value, texts by letter, missing ones last.
function compare(a, b) {
  const [x, y] = [a, b].map(cell => cell.dataset.v ?? cell.textContent);
  const [empty, other] = [x, y].map(value => value === "" || value === "nan");
  if (empty || other) return empty - other || 0;
  if (a.dataset.v !== undefined && b.dataset.v !== undefined) return Number(x) - Number(y);
  return x.localeCompare(y, "en", {numeric: true});
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const falling = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const missing = row => ["", "nan"].includes(row.cells[column].dataset.v ?? row.cells[column].textContent);
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const order = compare(a.cells[column], b.cells[column]);
      return falling && !missing(a) && !missing(b) ? -order : order;
    });
    table.tBodies[0].append(...rows);
  }));
}
