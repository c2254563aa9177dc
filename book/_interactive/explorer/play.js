/* Puts the parts of the page "Play" together. */
"use strict";

(() => {
  const { byId, state, tables, examples } = Explorer;
  const { controls, truthTables, tour, numbers, planes, charts, atlas } = Explorer;
  let waiting = null;

  /** Train the examples and show them, once the browser has shown the rest. */
  function showExamples() {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      const choice = state.get();
      const found = examples.lookUp(choice);
      truthTables.showExamples(choice, found);
      planes.show(choice, found);
      const s = Page.number(examples.score(choice).s);
      byId("own-s").textContent = `S of these four: ${s}. On the dial: the mean of ${Page.count(tables.replicas)} such fours.`;
    });
  }

  // Links of the text lead to a choice: what they choose should be seen.
  window.addEventListener("hashchange", () => {
    if (location.hash.includes("=")) tour.look();
  });

  byId("root").hidden = false;
  // The tour before the charts: they leave out what it still hides.
  [controls, truthTables, tour, numbers, planes, charts, atlas].forEach((part) => part.build());
  state.onChange(showExamples);
  Page.onAppearance(byId("planes"), showExamples);
  state.restore();
  tour.welcome();
})();
