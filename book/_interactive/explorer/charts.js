/* S over hidden units and over training steps, with 2 + Delta; a click chooses what is below it.
   Beside them, what the chosen S is made of. */
"use strict";

Explorer.charts = (() => {
  const { byId, state, tables, statistics } = Explorer;
  const { shape, number, axes, CLASSICAL_BOUND: BOUND } = Page;
  const SIZE = { left: 30, right: 8, top: 14, bottom: 40, height: 230 };
  const WIDE_ENOUGH = 0.15; // of Delta, for a name beside its ceiling

  const CHARTS = {
    "over-n": {
      name: "n", values: tables.sizes, title: "hidden units n", labelled: tables.sizes,
    },
    "over-steps": {
      name: "step", values: tables.steps, title: "training steps",
      labelled: [1, 10, 100, 450, 2000],
    },
  };

  /** Which numbers of units the tour still hides. */
  let isHidden = () => false;

  function scales({ values }, width, levels) {
    const { left, right, top, bottom, height } = SIZE;
    const across = (width - left - right) / values.length;
    return {
      width, across,
      x: (place) => left + across * (place + 0.5),
      y: axes.height(levels, top, height - bottom),
    };
  }

  const path = (points) => points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

  function horizontalAxis({ values, title, labelled }, { width, x }) {
    const at = SIZE.height - SIZE.bottom + 16;
    const labels = labelled.map((value) => {
      const place = { x: x(values.indexOf(value)), y: at, "text-anchor": "middle" };
      return shape("text", place, Page.count(value));
    });
    const middle = (width + SIZE.left - SIZE.right) / 2;
    return [...labels, shape("text", { x: middle, y: at + 18, "text-anchor": "middle" }, title)];
  }

  /** What lies between 2 and 2 + Delta, and its name where there is room for it. */
  function ceiling(points, { x, y }) {
    const edge = points.map(({ at, delta }) => [x(at), y(BOUND + delta.value)]);
    const foot = points.map(({ at }) => [x(at), y(BOUND)]).reverse();
    const highest = points.reduce((a, b) => (b.delta.value > a.delta.value ? b : a));
    const top = y(BOUND + highest.delta.value);
    const beside = { x: x(highest.at) + 13, y: Math.max(top, SIZE.top) + 5 };
    const name = shape("text", beside, "2 + \u0394");
    return [
      shape("polygon", { points: path([...edge, ...foot]), class: "drawn-lift" }),
      shape("polyline", { points: path(edge), class: "explorer-allowed" }),
      ...(highest.delta.value > WIDE_ENOUGH ? [name] : []),
    ];
  }

  function curves(points, { x, y }) {
    const of = (value) => points.map((point) => [x(point.at), y(value(point))]);
    const values = of(({ s }) => s.value);
    const band = [...of(({ s }) => s.low), ...of(({ s }) => s.high).reverse()];
    return [
      shape("polygon", { points: path(band), class: "explorer-band" }),
      shape("polyline", { points: path(values), class: "explorer-curve" }),
      ...values.map(([cx, cy]) => shape("circle", { cx, cy, r: 3, class: "explorer-dot" })),
    ];
  }

  /** The same with a shared trunk, where each head has one of its own. */
  function comparison(points, choice, name, { x, y }) {
    if (choice.trunk === "shared") return [];
    const shared = points.map(({ at, value }) => {
      const { s } = statistics.lookUp({ ...choice, trunk: "shared", [name]: value });
      return [x(at), y(s.value)];
    });
    return [shape("polyline", { points: path(shared), class: "explorer-compared" })];
  }

  function column(place, { across, x }) {
    const foot = SIZE.height - SIZE.bottom;
    return { x: x(place) - across / 2, width: across, y: SIZE.top, height: foot - SIZE.top };
  }

  function ring(point, { x, y }) {
    return shape("circle", { cx: x(point.at), cy: y(point.s.value), r: 7, class: "explorer-here" });
  }

  /** A question mark over what the tour hides. */
  function hidden(values, scale) {
    return values.flatMap((value, place) => {
      if (!isHidden(value)) return [];
      const middle = {
        x: scale.x(place), y: scale.y(1), "text-anchor": "middle", class: "explorer-asking",
      };
      return [
        shape("rect", { ...column(place, scale), class: "explorer-veil" }),
        shape("text", middle, "?"),
      ];
    });
  }

  function draw(id, chart, choice) {
    const { name, values, title } = chart;
    const hides = name === "n" ? isHidden : () => false;
    const all = values.map((value, at) => ({
      at, value, ...statistics.lookUp({ ...choice, [name]: value }),
    }));
    const points = all.filter(({ value }) => !hides(value));
    const levels = axes.levels(all.map(({ s }) => s.value));
    const { width } = byId(id).getBoundingClientRect();
    const scale = scales(chart, width, levels);
    const said = points.map(({ value, s }) => `${Page.count(value)}: ${number(s.value)}`);
    byId(id).setAttribute("viewBox", `0 0 ${width} ${SIZE.height}`);
    byId(id).setAttribute("aria-label", `S over ${title}. ${said.join("; ")}.`);
    const here = points.find(({ value }) => value === choice[name]);
    const now = shape("rect", { ...column(here.at, scale), class: "explorer-now" });
    const grid = axes.grid(levels, SIZE.left, width - SIZE.right, scale.y);
    byId(id).replaceChildren(
      now, ...ceiling(points, scale), ...grid, ...horizontalAxis(chart, scale),
      ...comparison(points, choice, name, scale), ...curves(points, scale), ring(here, scale),
      ...(name === "n" ? hidden(values, scale) : []),
    );
  }

  /** The value whose column a click is in. */
  function under(event, id, { values }) {
    const { left, width } = byId(id).getBoundingClientRect();
    const share = (event.clientX - left - SIZE.left) / (width - SIZE.left - SIZE.right);
    const place = Math.floor(share * values.length);
    return values[Math.min(Math.max(place, 0), values.length - 1)];
  }

  function drawParts(choice) {
    const { correlators, s, delta } = statistics.lookUp(choice);
    const place = byId("waterfall");
    const drawn = Page.waterfall({ correlators, s, delta: delta.value }, place.clientWidth);
    place.replaceChildren(drawn);
  }

  function show(choice) {
    drawParts(choice);
    for (const [id, chart] of Object.entries(CHARTS)) draw(id, chart, choice);
  }

  function build() {
    for (const [id, chart] of Object.entries(CHARTS)) {
      byId(id).addEventListener("click", (event) =>
        state.set({ [chart.name]: under(event, id, chart) }),
      );
    }
    state.onChange(show);
    Page.onAppearance(byId("stage"), () => show(state.get()));
  }

  /** Hide what the curve says of some numbers of units, until it is chosen. */
  function hide(test) {
    isHidden = test;
  }

  return { build, hide };
})();
