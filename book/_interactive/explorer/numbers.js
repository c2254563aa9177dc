/* S on its scale, the correlators behind it, Delta, and what they say in words. */
"use strict";

Explorer.numbers = (() => {
  const { byId, state, statistics, games } = Explorer;
  const { element, number, interval } = Page;
  const { CLASSICAL_BOUND, TSIRELSON_BOUND, ALGEBRAIC_BOUND } = statistics;
  const LOWEST = -1; // of the scale: no game of the tables gets below it
  const NAMES = ["C(A1, B1)", "+ C(A1, B2)", "+ C(A2, B1)", "\u2212 C(A2, B2)"];
  const CONTEXTS = ["(A1, B1)", "(A1, B2)", "(A2, B1)", "(A2, B2)"];
  const OFTEN = 0.1; // share of common failures from which on the text speaks of them
  const rows = [];

  const percent = (share) => `${(100 * share).toFixed(2)}%`;

  /** Where a value lies between the ends of a scale, within it. */
  const along = (value, low, high) =>
    percent(Math.min(Math.max((value - low) / (high - low), 0), 1));

  function place(mark, { low, high }, from, to) {
    mark.style.left = along(low, from, to);
    mark.style.right = along(from + to - high, from, to);
  }

  function bound(value, name, meaning, place = "") {
    const label = element("span", {}, element("b", {}, name), ` ${meaning}`);
    const tick = element("div", { class: `explorer-bound ${place}` }, label);
    tick.style.left = along(value, LOWEST, ALGEBRAIC_BOUND);
    return tick;
  }

  function buildScale() {
    const range = element("div", { class: "explorer-range" });
    const point = element("div", { class: "explorer-point" });
    byId("scale").append(
      bound(0, "0", ""),
      bound(CLASSICAL_BOUND, "2", "no influence"),
      bound(TSIRELSON_BOUND, "2\u221a2", "quantum", "explorer-over"),
      bound(ALGEBRAIC_BOUND, "4", "at most"),
      range,
      point,
    );
    rows.scale = { range, point };
  }

  function buildBars() {
    NAMES.forEach((name, context) => {
      const bar = element("div", { class: "explorer-fill" });
      const range = element("div", { class: "explorer-range" });
      const value = element("span");
      const ends = element("span");
      const wrong = element("td");
      const track = element("div", { class: "explorer-bar", "aria-hidden": "true" }, bar, range);
      const label = element("th", { scope: "row" }, name);
      const numbers = element("td", {}, value, " ", ends);
      rows[context] = { bar, range, value, ends, wrong };
      const cells = [label, element("td", {}, track), numbers, wrong];
      byId("correlators").append(element("tr", {}, ...cells));
    });
  }

  function showBar({ bar, range, value, ends, wrong }, correlator, bothWrong) {
    place(bar, { low: Math.min(correlator.value, 0), high: Math.max(correlator.value, 0) }, -1, 1);
    place(range, correlator, -1, 1);
    value.textContent = number(correlator.value, 3); // with two digits an interval could be a point
    ends.textContent = interval(correlator, 3);
    wrong.textContent = `${(100 * bothWrong).toFixed(0)} %`;
  }

  function showNumber(name, found) {
    byId(name).textContent = number(found.value);
    byId(`${name}-interval`).textContent = interval(found);
  }

  function aboutS({ low, high }) {
    if (low > CLASSICAL_BOUND) {
      return "S is above 2: influence, not physics. A head fares differently with another task beside it.";
    }
    if (high < CLASSICAL_BOUND) {
      return "S is below 2: by itself no sign of influence.";
    }
    return "S cannot be told from 2, and is by itself no sign of influence.";
  }

  function aboutDelta(s, delta, { low, high }) {
    if (s.low <= CLASSICAL_BOUND) {
      return delta.low > 0 ? "\u0394 is one: success rates change with the other head's task." : "";
    }
    if (high <= 0) return "The change of success rates, \u0394, is enough to explain it.";
    if (low > 0) return "\u0394 alone does not explain it.";
    return "\u0394 may explain it: the intervals of this page, which err on the long side, cannot tell.";
  }

  function aboutFailures(bothWrong) {
    const most = Math.max(...bothWrong);
    if (most < OFTEN) return "";
    const context = CONTEXTS[bothWrong.indexOf(most)];
    const share = `${(100 * most).toFixed(0)} %`;
    const where = `in ${context}, both heads are wrong in ${share} of outcomes`;
    return `Two failures agree: ${where}, which counts as +1.`;
  }

  function inWords({ s, delta, remainder, bothWrong }) {
    const sentences = [aboutS(s), aboutDelta(s, delta, remainder), aboutFailures(bothWrong)];
    return sentences.filter(Boolean).join(" ");
  }

  const announce = Page.afterBurst((text) => {
    byId("status").textContent = text;
  }, 800);

  function summary({ tasks, layout, n, activation, step }, { s, delta }) {
    const training = `${n} hidden units, ${activation}, step ${Page.count(step)}`;
    const values = `S = ${number(s.value)}, interval ${interval(s)}; \u0394 = ${number(delta.value)}`;
    return `${games.gameName(tasks, layout)}. ${training}. ${values}.`;
  }

  function show(choice) {
    const found = statistics.lookUp(choice);
    ["s", "delta", "remainder"].forEach((name) => showNumber(name, found[name]));
    place(rows.scale.range, found.s, LOWEST, ALGEBRAIC_BOUND);
    rows.scale.point.style.left = along(found.s.value, LOWEST, ALGEBRAIC_BOUND);
    found.correlators.forEach((correlator, k) =>
      showBar(rows[k], correlator, found.bothWrong[k]),
    );
    byId("words").textContent = inWords(found);
    announce(summary(choice, found));
  }

  function build() {
    buildScale();
    buildBars();
    state.onChange(show);
  }

  return { build };
})();
