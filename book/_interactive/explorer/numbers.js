/* S, Delta and the correlators as numbers, and what they say in words. */
"use strict";

Explorer.numbers = (() => {
  const { byId, state, statistics, tables, games, dial } = Explorer;
  const { element, number, interval } = Page;
  const NAMES = ["C(A1, B1)", "+ C(A1, B2)", "+ C(A2, B1)", "\u2212 C(A2, B2)"];
  const CONTEXTS = ["(A1, B1)", "(A1, B2)", "(A2, B1)", "(A2, B2)"];
  const OFTEN = 0.1; // share of common failures from which on the text speaks of them
  const rows = [];

  const percent = (share) => `${(100 * share).toFixed(0)} %`;

  function buildTable() {
    NAMES.forEach((name) => {
      const cells = [0, 1, 2].map(() => element("td"));
      rows.push(cells);
      byId("correlators").append(
        element("tr", {}, element("th", { scope: "row" }, name), ...cells),
      );
    });
  }

  function showRow([value, ends, wrong], correlator, bothWrong) {
    value.textContent = number(correlator.value, 3); // with two digits an interval could be a point
    ends.textContent = interval(correlator, 3);
    wrong.textContent = percent(bothWrong);
  }

  function showNumber(name, found) {
    byId(name).textContent = number(found.value);
    const isExact = found.low === found.high;
    byId(`${name}-interval`).textContent = isExact ? "exactly" : interval(found);
  }

  function aboutS(verdict) {
    if (verdict > 0) return "S is above 2: influence, not physics.";
    return verdict < 0 ? "S is below 2." : "S is not distinguishable from 2.";
  }

  function aboutDelta({ verdict, explanation, delta, isReported }, trunk) {
    if (trunk === "own") return "No head can know of the other\u2019s task.";
    if (verdict <= 0) {
      return delta.low > 0 ? "Success rates change with the other head\u2019s task." : "";
    }
    if (explanation === 0) return "Changed success rates, added up in \u0394, are enough to explain it.";
    if (explanation === 2) return "\u0394 alone does not explain it.";
    return `S is at 2 + \u0394, within the interval${isReported ? "" : ", a long one here"}.`;
  }

  function aboutFailures(bothWrong) {
    const most = Math.max(...bothWrong);
    if (most < OFTEN) return "";
    const context = CONTEXTS[bothWrong.indexOf(most)];
    return `In ${context} both heads are wrong in ${percent(most)}: two failures agree.`;
  }

  function inWords(found, trunk) {
    const { verdict, bothWrong } = found;
    const sentences = [aboutS(verdict), aboutDelta(found, trunk), aboutFailures(bothWrong)];
    return sentences.filter(Boolean).join(" ");
  }

  const announce = Page.afterBurst((text) => {
    byId("status").textContent = text;
  }, 800);

  function summary({ tasks, trunk, layout, n, activation, step }, { s, delta }) {
    const whose = trunk === "own" ? "hidden units for each head" : "hidden units";
    const training = `${n} ${whose}, ${activation}, step ${Page.count(step)}`;
    const values = `S = ${number(s.value)}, interval ${interval(s)}; \u0394 = ${number(delta.value)}`;
    return `${games.gameName(tasks, layout)}. ${training}. ${values}.`;
  }

  function kind({ isReported }) {
    return isReported
      ? "This game has a full report: the intervals of S, \u0394 and S \u2212 \u0394 \u2212 2 are those that ncnet report gives."
      : "The intervals of S, \u0394 and S \u2212 \u0394 \u2212 2 are put together from those of the contexts: longer than they need be.";
  }

  function legend({ trunk }) {
    const shared = trunk === "own" ? " Thin: the same with a shared trunk." : "";
    return `Line: S, with its interval. Shaded: up to 2 + \u0394, as far as changed success rates could lift S.${shared} Click a number of units to choose it.`;
  }

  function show(choice) {
    const found = statistics.lookUp(choice);
    ["s", "delta", "remainder"].forEach((name) => showNumber(name, found[name]));
    ["s", "delta"].forEach((name) => {
      byId(`glance-${name}`).textContent = number(found[name].value);
    });
    dial.show(found);
    found.correlators.forEach((correlator, k) => showRow(rows[k], correlator, found.bothWrong[k]));
    byId("words").textContent = inWords(found, choice.trunk);
    byId("legend").textContent = legend(choice);
    byId("kind").textContent = kind(found);
    announce(summary(choice, found));
  }

  function build() {
    dial.build();
    for (const place of document.querySelectorAll(".explorer-mean-of")) {
      place.textContent = `mean of ${Page.count(tables.replicas)}`;
    }
    buildTable();
    state.onChange(show);
  }

  return { build };
})();
