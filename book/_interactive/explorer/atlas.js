/* All games of the present training as points, S against Delta: to point at, and to open. */
"use strict";

Explorer.atlas = (() => {
  const { byId, state, statistics, games } = Explorer;
  const { number, CLASSICAL_BOUND: BOUND } = Page;
  const MARGIN = { left: 40, right: 14, top: 14, bottom: 40 };
  const NEAR = 24; // pixels from which a point is found
  const DIAMOND = 7; // pixels from its middle to a corner
  const canvas = byId("atlas-canvas");
  const board = byId("atlas-board");
  const atlas = { trained: null, points: [], byGame: [], pointed: null, view: null };

  const training = ({ trunk, layout, activation, n, step }) =>
    [trunk, layout, activation, n, step].join();

  /** Games that lie at the same place are one point. */
  function gather({ s, delta }) {
    const places = new Map();
    s.forEach((_, game) => {
      const key = `${s[game].toFixed(6)} ${delta[game].toFixed(6)}`;
      if (!places.has(key)) places.set(key, { s: s[game], delta: delta[game], games: [] });
      places.get(key).games.push(game);
    });
    return [...places.values()];
  }

  function look(choice) {
    if (atlas.trained === training(choice)) return;
    atlas.trained = training(choice);
    atlas.points = gather(statistics.atlas(choice));
    atlas.points.forEach((point) => point.games.forEach((game) => (atlas.byGame[game] = point)));
    atlas.pointed = null;
  }

  const present = () => atlas.byGame[statistics.placeOf(state.get().tasks)];

  function viewOf({ width, height }) {
    const right = Math.max(1, ...atlas.points.map(({ delta }) => delta)) * 1.03;
    const values = atlas.points.map(({ s }) => s);
    const top = Math.max(BOUND + 0.5, ...values) + 0.1;
    const bottom = Math.floor(Math.min(1, ...values)) - 0.05;
    const across = width - MARGIN.left - MARGIN.right;
    const down = height - MARGIN.top - MARGIN.bottom;
    return {
      right, top, bottom, width, height,
      x: (delta) => MARGIN.left + (delta / right) * across,
      y: (s) => MARGIN.top + ((top - s) / (top - bottom)) * down,
    };
  }

  function line(context, from, to, dash = []) {
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    context.setLineDash([]);
  }

  function drawGrid(context, view) {
    context.strokeStyle = Page.colour("grid");
    context.fillStyle = Page.colour("ink");
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    for (let s = Math.ceil(view.bottom); s <= view.top; s += 1) {
      line(context, [view.x(0), view.y(s)], [view.x(view.right), view.y(s)]);
      context.textAlign = "right";
      context.fillText(number(s, 0), view.x(0) - 6, view.y(s) + 4);
    }
    const stride = view.right > 2 ? 1 : 0.5;
    context.textAlign = "center";
    for (let delta = 0; delta <= view.right; delta += stride) {
      context.fillText(number(delta, 1), view.x(delta), view.height - MARGIN.bottom + 17);
    }
    context.fillText("\u0394", view.x(view.right / 2), view.height - 6);
    context.textAlign = "left";
    context.fillText("S", 4, view.y(view.top) + 10);
  }

  function drawBounds(context, view) {
    const end = Math.min(view.right, view.top - BOUND);
    context.strokeStyle = Page.colour("ink");
    context.fillStyle = Page.colour("ink");
    context.lineWidth = 1.25;
    line(context, [view.x(0), view.y(BOUND)], [view.x(view.right), view.y(BOUND)], [5, 4]);
    line(context, [view.x(0), view.y(BOUND)], [view.x(end), view.y(BOUND + end)]);
    context.textAlign = "right";
    context.fillText("S = 2", view.x(view.right) - 2, view.y(BOUND) + 15);
    const up = 0.62 * end;
    context.fillText("S = 2 + \u0394", view.x(up) - 8, view.y(BOUND + up) - 2);
  }

  const isAbove = ({ s, delta }) => statistics.isAbove(s, delta);

  function drawPoints(context, view) {
    context.fillStyle = Page.colour("alice");
    context.globalAlpha = 0.45;
    for (const { s, delta, games: here } of atlas.points) {
      context.beginPath();
      context.arc(view.x(delta), view.y(s), Math.min(2 + 0.4 * Math.log2(here.length), 6), 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  /** What is above the line is few, and close to it: diamonds, over all the rest. */
  function drawAbove(context, view) {
    context.fillStyle = Page.colour("bob");
    context.strokeStyle = Page.colour("surface");
    context.lineWidth = 1.5;
    for (const { s, delta } of atlas.points.filter(isAbove)) {
      const [x, y] = [view.x(delta), view.y(s)];
      context.beginPath();
      context.moveTo(x, y - DIAMOND);
      context.lineTo(x + DIAMOND, y);
      context.lineTo(x, y + DIAMOND);
      context.lineTo(x - DIAMOND, y);
      context.closePath();
      context.stroke();
      context.fill();
    }
  }

  function ring(context, view, { s, delta }, radius, width) {
    context.strokeStyle = Page.colour("ink");
    context.lineWidth = width;
    context.beginPath();
    context.arc(view.x(delta), view.y(s), radius, 0, 2 * Math.PI);
    context.stroke();
  }

  function draw() {
    const sheet = Page.sharpContext(canvas);
    if (sheet.width === 0) return;
    atlas.view = viewOf(sheet);
    drawGrid(sheet.context, atlas.view);
    drawPoints(sheet.context, atlas.view);
    drawBounds(sheet.context, atlas.view);
    drawAbove(sheet.context, atlas.view);
    ring(sheet.context, atlas.view, present(), 10, 2.5);
    if (atlas.pointed) ring(sheet.context, atlas.view, atlas.pointed, 14, 1.5);
  }

  function describe({ s, delta, games: here }, which) {
    const { layout } = state.get();
    const name = games.gameName(statistics.tasksOf(here[which]), layout);
    const several = here.length > 1 ? ` Game ${which + 1} of ${here.length} at this point.` : "";
    return `${name}. S = ${number(s)}, \u0394 = ${number(delta)}.${several}`;
  }

  function point(found) {
    if (found === atlas.pointed) return;
    atlas.pointed = found;
    byId("atlas-game").textContent = found ? describe(found, 0) : "Point at a game.";
    draw();
  }

  /** Open a game of the point: the next one where one of it is open. */
  function open(found) {
    const here = found.games.indexOf(statistics.placeOf(state.get().tasks));
    const which = (here + 1) % found.games.length;
    state.open({ tasks: statistics.tasksOf(found.games[which]) });
    byId("atlas-game").textContent = `Opened: ${describe(found, which)}`;
  }

  function showOpen() {
    byId("root").scrollIntoView({ behavior: Page.prefersStillness() ? "auto" : "smooth" });
  }

  function nearest(x, y) {
    const { view } = atlas;
    const distance = (p) => Math.hypot(view.x(p.delta) - x, view.y(p.s) - y);
    const best = atlas.points.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    return distance(best) <= NEAR ? best : null;
  }

  const under = (event) => nearest(event.offsetX, event.offsetY);

  const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  /** The next point in a direction: the nearest one, where going sideways counts threefold. */
  function neighbour(from, [dx, dy]) {
    const { view } = atlas;
    const cost = (p) => {
      const [x, y] = [view.x(p.delta) - view.x(from.delta), view.y(p.s) - view.y(from.s)];
      const ahead = x * dx + y * dy;
      return ahead > 0.01 ? ahead + 3 * Math.abs(x * dy - y * dx) : Infinity;
    };
    const best = atlas.points.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    return cost(best) < Infinity ? best : from;
  }

  function onKey(event) {
    const from = atlas.pointed ?? present();
    if (event.key in DIRECTIONS) point(neighbour(from, DIRECTIONS[event.key]));
    else if (event.key === "Enter" || event.key === " ") open(from);
    else return;
    event.preventDefault();
  }

  const highest = (value) => atlas.points.reduce((a, b) => (value(b) > value(a) ? b : a));
  const anyGame = () => atlas.byGame[Math.floor(Math.random() * atlas.byGame.length)];

  const SHORTCUTS = {
    "highest-s": () => highest(({ s }) => s),
    "highest-remainder": () => highest(({ s, delta }) => s - delta),
    "any-game": anyGame,
  };

  function show(choice) {
    look(choice);
    const which = present().games.indexOf(statistics.placeOf(choice.tasks));
    const all = `Atlas: ${Page.count(atlas.byGame.length)} games, S against \u0394`;
    board.setAttribute("aria-label", `${all}. Open now: ${describe(present(), which)}`);
    draw();
  }

  function build() {
    byId("show-open").addEventListener("click", showOpen);
    canvas.addEventListener("pointermove", (event) => point(under(event)));
    canvas.addEventListener("pointerleave", () => point(null));
    canvas.addEventListener("click", (event) => {
      const found = under(event);
      if (found) open(found);
    });
    board.addEventListener("keydown", onKey);
    for (const [id, find] of Object.entries(SHORTCUTS)) {
      byId(id).addEventListener("click", () => open(find()));
    }
    state.onChange(show);
    Page.onAppearance(board, draw);
  }

  return { build, view: () => atlas.view };
})();
