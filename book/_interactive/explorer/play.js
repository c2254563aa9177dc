/* Puts the parts of the page "Play" together. */
"use strict";

(() => {
  const { byId, state, controls, truthTables, numbers, planes, charts, atlas, examples } = Explorer;
  let waiting = null;

  /** Train the examples and show them, once the browser has shown the rest. */
  function showExamples() {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      const choice = state.get();
      const found = examples.lookUp(choice);
      truthTables.showExamples(choice, found);
      planes.show(choice, found);
    });
  }

  // Links of the text lead to a choice: what they choose should be seen.
  window.addEventListener("hashchange", () => {
    if (location.hash.includes("=")) byId("root").scrollIntoView();
  });

  byId("root").hidden = false;
  [controls, truthTables, numbers, planes, charts, atlas].forEach((part) => part.build());
  state.onChange(showExamples);
  Page.onAppearance(byId("planes"), showExamples);
  state.restore();
})();
