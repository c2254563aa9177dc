/* The four tasks as truth tables: targets to click, and beside them what the examples answer. */
"use strict";

Explorer.truthTables = (() => {
  const { byId, state, games } = Explorer;
  const { element } = Page;
  const ROWS = ["00", "01", "10", "11"];
  const PARTIES = ["Alice", "Bob"];
  const views = [];

  const partyOf = (place) => place >> 1;
  const settingOf = (place) => place & 1;
  const others = (place) => (partyOf(place) ? ["A1", "A2"] : ["B1", "B2"]);

  /** Number of the context in which a task meets the other party's task of this setting. */
  function contextOf(place, other) {
    return partyOf(place) ? 2 * other + settingOf(place) : 2 * settingOf(place) + other;
  }

  function toggle(place, row) {
    const { tasks } = state.get();
    const flipped = [...tasks[place]].map((bit, k) => (k === row ? String(1 - bit) : bit)).join("");
    state.set({ tasks: tasks.map((task, k) => (k === place ? flipped : task)) });
  }

  function buildRow(place, row) {
    const button = element("button", { type: "button", class: "explorer-target" });
    button.addEventListener("click", () => toggle(place, row));
    const answers = others(place).map(() => element("td"));
    const cells = [element("td", {}, button), ...answers];
    const inputs = element("th", { scope: "row" }, [...ROWS[row]].join(" "));
    return { button, answers, line: element("tr", {}, inputs, ...cells) };
  }

  function buildTable(place) {
    const name = element("span");
    const inputs = element("th", { scope: "col" });
    const titles = ["target", ...others(place).map((other) => `with ${other}`)];
    const heads = titles.map((text) => element("th", { scope: "col" }, text));
    const rows = ROWS.map((_, row) => buildRow(place, row));
    const title = element("strong", {}, `${PARTIES[partyOf(place)]} ${games.PLACES[place]}`);
    const table = element(
      "table",
      { class: partyOf(place) ? "explorer-bob" : "explorer-alice" },
      element("caption", {}, title, " ", name),
      element("thead", {}, element("tr", {}, inputs, ...heads)),
      element("tbody", {}, ...rows.map((row) => row.line)),
    );
    byId("tasks").append(table);
    views.push({ place, name, inputs, rows });
  }

  /** What one network answers in a row: one digit for each value of the inputs not in the row. */
  function showAnswers(cell, answers, target) {
    const wrong = answers.filter((answer) => answer !== target).length;
    const said = wrong === 0 ? "right" : wrong === answers.length ? "wrong" : "in part wrong";
    const digits = answers.map((answer) =>
      element("span", { class: answer === target ? "" : "explorer-wrong" }, String(answer)),
    );
    cell.replaceChildren(
      element("span", { "aria-hidden": "true", class: "explorer-answers" }, ...digits),
      element("span", { class: "unseen" }, `${answers.join(" ")}: ${said}`),
    );
  }

  function showTargets({ tasks, layout }) {
    for (const { place, name, inputs, rows } of views) {
      const [x, y] = games.inputNames(layout, partyOf(place));
      name.textContent = games.taskName(tasks[place], layout, partyOf(place));
      inputs.textContent = `${x} ${y}`;
      rows.forEach(({ button }, row) => {
        const target = tasks[place][row];
        const where = `${x} = ${ROWS[row][0]}, ${y} = ${ROWS[row][1]}`;
        button.textContent = target;
        button.setAttribute("aria-pressed", target === "1");
        button.setAttribute("aria-label", `${target}, target of ${games.PLACES[place]} at ${where}`);
      });
    }
  }

  /** Show what the example networks answer. */
  function showExamples({ tasks, layout }, examples) {
    const inputs = games.rows(layout);
    for (const { place, rows } of views) {
      rows.forEach(({ answers }, row) => {
        answers.forEach((cell, other) => {
          const found = examples[contextOf(place, other)].answers
            .filter((_, item) => games.tableRow(inputs[item], layout, partyOf(place)) === row)
            .map((answer) => answer[partyOf(place)]);
          showAnswers(cell, found, Number(tasks[place][row]));
        });
      });
    }
  }

  function build() {
    games.PLACES.forEach((_, place) => buildTable(place));
    state.onChange(showTargets);
  }

  return { build, showExamples };
})();
