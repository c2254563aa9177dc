/* The choices besides the tasks: units, trunks, the game, the slider over steps and its button. */
"use strict";

Explorer.controls = (() => {
  const { byId, state, tables, games } = Explorer;
  const { element } = Page;
  const FRAME = 550; // milliseconds a step is shown
  const slider = byId("step");
  const play = byId("play");
  const preset = byId("preset");
  const last = tables.steps.length - 1;
  let timer = null;

  function radioButtons(name, values, labels = values) {
    const group = byId(name);
    values.forEach((value, place) => {
      const input = element("input", { type: "radio", name: `explorer-${name}`, value });
      input.addEventListener("change", () => state.set({ [name]: value }));
      group.append(element("label", {}, input, element("span", {}, String(labels[place]))));
    });
  }

  function check(name, value) {
    for (const input of byId(name).querySelectorAll("input")) {
      input.checked = input.value === String(value);
    }
  }

  /** The number of units so many places further on, or undefined. */
  const sizeBy = (more) => tables.sizes[tables.sizes.indexOf(state.get().n) + more];

  function units() {
    for (const [name, more] of [["fewer", -1], ["more", 1]]) {
      byId(name).addEventListener("click", () => {
        const n = sizeBy(more);
        if (n !== undefined) state.set({ n });
      });
    }
  }

  // A disabled button would lose the focus of who has pressed it until there is no more.
  function showEnd(name, more) {
    byId(name).setAttribute("aria-disabled", sizeBy(more) === undefined);
  }

  function trunk() {
    byId("trunk").addEventListener("change", ({ target }) =>
      state.set({ trunk: target.checked ? "own" : "shared" }),
    );
  }

  function presets() {
    Object.keys(games.PRESETS).forEach((name) => preset.append(element("option", {}, name)));
    preset.append(element("option", { value: "" }, "Another game"));
    preset.addEventListener("change", () => {
      if (preset.value) state.set({ tasks: games.PRESETS[preset.value] });
    });
  }

  function presetOf(tasks) {
    const same = ([, listed]) => listed.join() === tasks.join();
    return Object.entries(games.PRESETS).find(same)?.[0] ?? "";
  }

  function goTo(place) {
    state.set({ step: tables.steps[place] });
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    showPlaying();
  }

  function forward() {
    if (slider.valueAsNumber < last) goTo(slider.valueAsNumber + 1);
    if (slider.valueAsNumber >= last) stop();
  }

  /** Play from the present step, or from the first where the present is the last. Where the reader
      wants no motion, go on by one step. */
  function start() {
    if (slider.valueAsNumber === last) goTo(0);
    else if (Page.prefersStillness()) goTo(slider.valueAsNumber + 1);
    if (Page.prefersStillness()) return;
    timer = setInterval(forward, FRAME);
    showPlaying();
  }

  function showPlaying() {
    const next = Page.prefersStillness() ? "Next step" : "Play training";
    play.dataset.playing = timer !== null;
    play.setAttribute("aria-label", timer === null ? next : "Pause training");
  }

  function show({ trunk: kind, layout, n, activation, step, replica, tasks }) {
    check("layout", layout);
    check("activation", activation);
    byId("trunk").checked = kind === "own";
    byId("n").textContent = n;
    showEnd("fewer", -1);
    showEnd("more", 1);
    slider.value = tables.steps.indexOf(step);
    slider.setAttribute("aria-valuetext", `step ${Page.count(step)}`);
    byId("step-value").textContent = Page.count(step);
    byId("replica").value = replica;
    preset.value = presetOf(tasks);
  }

  function examples() {
    for (let replica = 0; replica < tables.examples; replica += 1) {
      byId("replica").append(element("option", { value: replica }, String(replica + 1)));
    }
    byId("replica").addEventListener("change", (event) =>
      state.set({ replica: Number(event.target.value) }),
    );
  }

  function build() {
    units();
    trunk();
    radioButtons("layout", tables.layouts);
    radioButtons("activation", tables.activations, ["tanh", "sigmoid", "ReLU"]);
    presets();
    examples();
    slider.max = last;
    slider.addEventListener("input", () => {
      stop();
      goTo(slider.valueAsNumber);
    });
    play.addEventListener("click", () => (timer === null ? start() : stop()));
    showPlaying();
    state.onChange(show);
  }

  return { build, start, stop, isPlaying: () => timer !== null };
})();
