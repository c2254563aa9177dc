/* S over hidden units and over training steps, with 2 + Delta, and the present choice marked. */
"use strict";

Explorer.charts = (() => {
  const { byId, state, tables, statistics } = Explorer;
  const { shape } = Page;
  const SIZE = { width: 400, height: 230, left: 34, right: 12, top: 12, bottom: 40 };
  const BOUND = statistics.CLASSICAL_BOUND;
  const SHOWN_STEPS = [1, 10, 100, 450, 2000];

  const CHARTS = {
    "over-n": { name: "n", values: tables.sizes, title: "hidden units n", labelled: tables.sizes },
    "over-steps": {
      name: "step", values: tables.steps, title: "training steps", labelled: SHOWN_STEPS,
    },
  };

  /** Values of the vertical axis: whole numbers around everything that is drawn. */
  function levels(points) {
    const lowest = Math.floor(Math.min(0, ...points.map(({ s }) => s.low)));
    const highest = Math.ceil(Math.max(3, ...points.map(({ s }) => s.high)));
    return Array.from({ length: highest - lowest + 1 }, (_, k) => lowest + k);
  }

  function scales(count, ticks) {
    const { width, height, left, right, top, bottom } = SIZE;
    const [low, high] = [ticks[0], ticks.at(-1)];
    return {
      x: (place) => left + ((width - left - right) * (place + 0.5)) / count,
      y: (value) => top + ((high - value) / (high - low)) * (height - top - bottom),
    };
  }

  const path = (points) => points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

  function grid(ticks, { y }) {
    return ticks.flatMap((tick) => [
      shape("line", {
        x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(tick), y2: y(tick),
        class: tick === BOUND ? "explorer-limit" : "explorer-grid",
      }),
      shape("text", { x: SIZE.left - 6, y: y(tick) + 4, "text-anchor": "end" }, Page.number(tick, 0)),
    ]);
  }

  function horizontalAxis({ values, title, labelled }, { x }) {
    const at = SIZE.height - SIZE.bottom + 16;
    const labels = labelled.map((value) => {
      const place = { x: x(values.indexOf(value)), y: at, "text-anchor": "middle" };
      return shape("text", place, Page.count(value));
    });
    const middle = (SIZE.width + SIZE.left - SIZE.right) / 2;
    return [...labels, shape("text", { x: middle, y: at + 18, "text-anchor": "middle" }, title)];
  }

  function curves(points, { x, y }) {
    const of = (value) => points.map((point, place) => [x(place), y(value(point))]);
    const values = of(({ s }) => s.value);
    const allowed = of(({ delta }) => BOUND + delta.value);
    const band = [...of(({ s }) => s.low), ...of(({ s }) => s.high).reverse()];
    return [
      shape("polygon", { points: path(band), class: "explorer-band" }),
      shape("polyline", { points: path(allowed), class: "explorer-allowed" }),
      shape("polyline", { points: path(values), class: "explorer-curve" }),
      ...values.map(([cx, cy]) => shape("circle", { cx, cy, r: 2.5, class: "explorer-dot" })),
    ];
  }

  function mark(points, place, { x, y }) {
    const [top, foot] = [SIZE.top, SIZE.height - SIZE.bottom];
    const cx = x(place);
    return [
      shape("line", { x1: cx, x2: cx, y1: top, y2: foot, class: "explorer-now" }),
      shape("circle", { cx, cy: y(points[place].s.value), r: 6, class: "explorer-here" }),
    ];
  }

  function draw(id, chart, choice) {
    const { name, values, title } = chart;
    const points = values.map((value) => statistics.lookUp({ ...choice, [name]: value }));
    const ticks = levels(points);
    const scale = scales(values.length, ticks);
    const said = values.map((value, k) => `${Page.count(value)}: ${Page.number(points[k].s.value)}`);
    const drawing = byId(id);
    drawing.setAttribute("aria-label", `S over ${title}. ${said.join("; ")}.`);
    const [line, ring] = mark(points, values.indexOf(choice[name]), scale);
    const axes = [...grid(ticks, scale), ...horizontalAxis(chart, scale)];
    drawing.replaceChildren(...axes, line, ...curves(points, scale), ring);
  }

  function build() {
    for (const id of Object.keys(CHARTS)) {
      byId(id).setAttribute("viewBox", `0 0 ${SIZE.width} ${SIZE.height}`);
    }
    state.onChange((choice) => {
      for (const [id, chart] of Object.entries(CHARTS)) draw(id, chart, choice);
    });
  }

  return { build };
})();
