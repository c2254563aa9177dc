/* What is chosen, and the address that leads back to it.

   Any page of the book can link to a choice by the part of the address after "#", with any of

     game=0001.0110.0001.0110   truth tables of A1, A2, B1, B2: the targets at inputs 00 01 10 11
     layout=overlap             or separate
     n=3                        hidden units, 1 to 8
     activation=tanh            or sigmoid, relu
     step=2000                  one of the recorded steps; any other number: the nearest
     start=0                    which of the recorded initial weights the examples begin with

   joined by "&", such as play.html#game=0110.0110.0110.0110&n=2. What is left out, or cannot be
   read, is as in DEFAULTS. */
"use strict";

Explorer.state = (() => {
  const { games, tables } = Explorer;
  const DEFAULTS = {
    tasks: games.BOOK,
    layout: "overlap",
    n: 3,
    activation: "tanh",
    step: tables.steps.at(-1),
    replica: 0,
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

  /** What an address asks for. */
  function read(hash) {
    const asked = new URLSearchParams(hash.replace(/^#/, ""));
    const found = {
      tasks: readTasks(asked.get("game")),
      layout: oneOf(tables.layouts, asked.get("layout")),
      n: oneOf(tables.sizes, numberOf(asked.get("n"))),
      activation: oneOf(tables.activations, asked.get("activation")),
      step: nearestStep(numberOf(asked.get("step"))),
      replica: readReplica(numberOf(asked.get("start"))),
    };
    const readable = Object.entries(found).filter(([, value]) => value !== undefined);
    return { ...DEFAULTS, ...Object.fromEntries(readable) };
  }

  function write({ tasks, layout, n, activation, step, replica }) {
    const game = tasks.join(".");
    return `#${new URLSearchParams({ game, layout, n, activation, step, start: replica })}`;
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
    set, open, restore, read, write,
  };
})();
