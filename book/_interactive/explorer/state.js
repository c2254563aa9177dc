/* What is chosen, and the address that leads back to it.

   Any page of the book can link to a choice by the part of the address after "#", with any of

     game=0001.0110.0001.0110   truth tables of A1, A2, B1, B2: the targets at inputs 00 01 10 11
     trunk=shared               or own: each head has a trunk for itself
     layout=overlap             or separate
     n=3                        hidden units, 1 to 8
     activation=tanh            or sigmoid, relu
     step=2000                  one of the recorded steps; any other number: the nearest
     start=0                    which of the recorded initial weights the examples begin with
     tour=unit                  a step of the tour, by its name in stories.js, which chooses the rest

   joined by "&", such as play.html#game=0110.0110.0110.0110&n=2. What is left out, or cannot be
   read, is as the step of the tour has it, or else as in DEFAULTS. */
"use strict";

Explorer.state = (() => {
  const { games, tables, stories } = Explorer;
  const DEFAULTS = {
    tasks: games.BOOK,
    trunk: "shared",
    layout: "overlap",
    n: 3,
    activation: "tanh",
    step: tables.steps.at(-1),
    replica: 0,
    tour: null,
  };
  const listeners = [];
  let chosen = DEFAULTS;

  const oneOf = (values, value) => (values.includes(value) ? value : undefined);
  const numberOf = (text) => (text === null || text === "" ? NaN : Number(text));

  function readTasks(text) {
    const tasks = (text ?? "").split(".");
    return tasks.length === 4 && tasks.every(games.isTask) ? tasks : undefined;
  }

  function nearestStep(number) {
    if (!Number.isFinite(number)) return undefined;
    const distance = (step) => Math.abs(step - number);
    return tables.steps.reduce((best, step) => (distance(step) < distance(best) ? step : best));
  }

  function readReplica(number) {
    return Number.isInteger(number) && number >= 0 && number < tables.examples ? number : undefined;
  }

  /** What a step of the tour begins with; without one, the usual choice. */
  const startOf = (tour) => ({ ...DEFAULTS, ...stories.STORIES[tour], tour });

  /** What an address asks for. */
  function read(hash) {
    const asked = new URLSearchParams(hash.replace(/^#/, ""));
    const found = {
      tasks: readTasks(asked.get("game")),
      trunk: oneOf(tables.trunks, asked.get("trunk")),
      layout: oneOf(tables.layouts, asked.get("layout")),
      n: oneOf(tables.sizes, numberOf(asked.get("n"))),
      activation: oneOf(tables.activations, asked.get("activation")),
      step: nearestStep(numberOf(asked.get("step"))),
      replica: readReplica(numberOf(asked.get("start"))),
    };
    const readable = Object.entries(found).filter(([, value]) => value !== undefined);
    const tour = oneOf(stories.NAMES, asked.get("tour")) ?? null;
    return { ...startOf(tour), ...Object.fromEntries(readable) };
  }

  const asTexts = ({ tasks, trunk, layout, n, activation, step, replica }) =>
    Object.entries({ game: tasks.join("."), trunk, layout, n, activation, step, start: replica });

  /** The address of a choice: of a step of the tour, its name and what differs from its start. */
  function write(choice) {
    const { tour } = choice;
    const start = Object.fromEntries(asTexts(startOf(tour)));
    const differing = asTexts(choice).filter(([name, value]) => !tour || value !== start[name]);
    return `#${new URLSearchParams(tour ? [["tour", tour], ...differing] : differing)}`;
  }

  // Browsers refuse to note every move of a slider.
  const note = Page.afterBurst(() => history.replaceState(null, "", write(chosen)), 250);

  function tell() {
    listeners.forEach((listener) => listener(chosen));
  }

  /** Change part of the choice; the address follows. */
  function set(changes) {
    chosen = { ...chosen, ...changes };
    tell();
    note();
  }

  /** Change part of the choice so that the browser's "back" returns to the present one. */
  function open(changes) {
    history.replaceState(null, "", write(chosen));
    chosen = { ...chosen, ...changes };
    history.pushState(null, "", write(chosen));
    tell();
  }

  /** Take what the address says; one that names a section of the page says nothing. */
  function restore() {
    if (location.hash.includes("=")) chosen = read(location.hash);
    tell();
  }

  window.addEventListener("hashchange", restore);

  return {
    get: () => chosen,
    onChange: (listener) => listeners.push(listener),
    set, open, restore, startOf, read, write,
  };
})();
