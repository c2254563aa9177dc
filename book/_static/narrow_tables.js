// A table that does not fit breaks its lines. On a phone it becomes cards: one a row, with the name of
// its column before each cell. narrow_tables.css has the looks.

{
  const PHONE = matchMedia("(max-width: 575px)");
  const TABLES = ".bd-article :is(.cell_output, .pst-scrollable-table-container) table";
  const ROLES = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };

  const text = (cell) => cell.textContent.trim();

  // The names of the columns, over all rows of the head: a cell may span several of them.
  const namesOf = (table) => {
    const names = [];
    for (const row of table.tHead?.rows ?? []) {
      let column = 0;
      for (const cell of row.cells)
        for (let k = 0; k < cell.colSpan; k++, column++)
          names[column] = [names[column], text(cell)].filter(Boolean).join(", ");
    }
    return names;
  };

  // A head of several rows stands before the first of them: each card gets a copy.
  const repeatHeads = (body) => {
    const spanning = [];
    for (const row of body.rows) {
      const copies = spanning.filter(({ left }) => left > 0);
      copies.forEach((one) => one.left--);
      for (const cell of [...row.cells])
        if (cell.rowSpan > 1) spanning.push({ cell, left: cell.rowSpan - 1 });
      copies.reverse().forEach(({ cell }) => {
        const copy = document.createElement(cell.tagName);
        copy.textContent = text(cell);
        copy.className = "card-only";
        copy.hidden = true;
        row.prepend(copy);
      });
    }
  };

  const prepare = (table) => {
    if (table.dataset.named) return;
    table.dataset.named = "yes";
    const names = namesOf(table);
    for (const body of table.tBodies) {
      repeatHeads(body);
      for (const row of body.rows)
        [...row.cells].forEach((cell, column) => {
          const shift = names.length - row.cells.length;
          cell.dataset.column = names[column + Math.max(0, shift)] ?? "";
        });
    }
  };

  const show = (table, asCards) => {
    table.classList.toggle("as-cards", asCards);
    for (const copy of table.querySelectorAll(".card-only")) copy.hidden = !asCards;
    for (const part of [table, ...table.querySelectorAll("thead, tbody, tr, th, td")])
      if (!asCards) part.removeAttribute("role");
      else if (part.tagName !== "TH") part.setAttribute("role", ROLES[part.tagName]);
      else part.setAttribute("role", part.closest("thead") ? "columnheader" : "rowheader");
  };

  const fit = () => {
    for (const table of document.querySelectorAll(TABLES)) {
      if (table.classList.contains("as-cards")) show(table, false);
      table.classList.remove("wraps");
      if (!table.tHead || table.offsetParent === null) continue;
      if (table.offsetWidth <= table.parentElement.clientWidth + 1) continue;
      if (PHONE.matches) {
        prepare(table);
        show(table, true);
      } else table.classList.add("wraps");
    }
  };

  document.addEventListener("DOMContentLoaded", fit);
  PHONE.addEventListener("change", fit);
  // A folded table has no width until it is opened.
  document.addEventListener("toggle", fit, true);
}
