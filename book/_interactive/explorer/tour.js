/* The tour: sets a scene, asks for a guess, waits for the reader to act, and says what happened. */
"use strict";

Explorer.tour = (() => {
  const { byId, state, stories, charts, controls, tourSteps } = Explorer;
  const { element } = Page;
  const { NAMES } = stories;
  const KEPT = "ncnet-tour"; // the step that was open last, or "" for who has left before
  const ENOUGH = 0.8; // share of what could be seen
  const REST = 600; // milliseconds without a key: until then the control keeps the focus
  let open = null; // the step: {name, step, start, guess, outcome, furthest, hasPlayed}
  let resume = NAMES[0];
  let isPlayingByItself = false;
  let isByKeyboard = false;
  let left = null; // {control, outcome}: what a key has done, and with what, until keys rest

  // A page from a file may be refused both.
  function remember(name) {
    try {
      localStorage.setItem(KEPT, name);
    } catch {
      // It is a first visit again, then.
    }
  }

  function remembered() {
    try {
      return localStorage.getItem(KEPT);
    } catch {
      return null;
    }
  }

  /** Whether only what the step leaves free differs from where it began. */
  function isOnTrack(choice) {
    const { start, step } = open;
    const same = (key) => String(choice[key]) === String(start[key]);
    const watched = ["tasks", "trunk", "layout", "n", "activation", "step", "replica"];
    return watched.every((key) => step.free.includes(key) || same(key));
  }

  function isHidden(n) {
    if (!open?.step.hides || open.outcome || n === state.get().n) return false;
    return open.step.hides(n, open.start, open.furthest);
  }

  function begin(name) {
    const start = state.startOf(name);
    const step = tourSteps[name];
    open = { name, step, start, guess: null, outcome: null, furthest: start.n, hasPlayed: false };
    resume = name;
    remember(name);
  }

  /** Take note of the choice, whoever made it. */
  function follow(choice) {
    if (choice.tour === null) open = null;
    else if (open?.name !== choice.tour) begin(choice.tour);
    if (!open) return;
    open.furthest = Math.max(open.furthest, choice.n);
    if (!open.outcome && isOnTrack(choice) && open.step.isDone(choice, open.start)) {
      open.outcome = open.step.outcome(choice, open.start);
      open.isNews = true;
    }
  }

  const paragraph = (text, kind = "") => element("p", { class: kind }, text);

  function verdict({ guess, outcome }) {
    if (guess === null) return [];
    const isRight = guess === outcome.right;
    const words = isRight ? "As you guessed." : "Not what you guessed.";
    return [element("b", {}, words), " "];
  }

  function outcomeParagraph(outcome) {
    const { text, link } = outcome;
    const leads = link ? [" ", element("a", { href: link.href }, link.text)] : [];
    return element("p", { tabindex: -1 }, ...verdict(open), text, ...leads);
  }

  /** One line either way: a card that changes its size would slip away from under a finger. */
  function handover(choice) {
    if (!open.hasPlayed) return [];
    const isPlaying = isPlayingByItself && choice.step !== open.start.step;
    return [paragraph(isPlaying ? "It plays by itself until you touch it." : "It is yours now.")];
  }

  function said(choice) {
    const { step, start, guess, outcome } = open;
    if (outcome) return [outcomeParagraph(outcome)];
    const question = paragraph(step.question, "explorer-question");
    if (!isOnTrack(choice)) {
      const how = "The number of this step, above, sets its scene again.";
      return [question, paragraph(`Something else has changed, too. ${how}`)];
    }
    if (guess === null) return [paragraph(step.scene(start)), question, ...handover(choice)];
    return [question, paragraph(step.action, "explorer-action")];
  }

  function steps() {
    NAMES.forEach((name, place) => {
      const { title } = tourSteps[name];
      const named = { "aria-label": `Step ${place + 1}: ${title}`, title };
      const text = [`${place + 1}`, element("span", {}, ` ${title}`)];
      const button = element("button", { type: "button", ...named }, ...text);
      button.addEventListener("click", () => goTo(name));
      byId("tour-steps").append(element("li", {}, button));
    });
  }

  function showSteps() {
    [...byId("tour-steps").querySelectorAll("button")].forEach((button, place) => {
      if (NAMES[place] === open?.name) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
  }

  /** The buttons stay as long as their step does: one of them may have the focus. */
  function showAnswers() {
    const group = byId("tour-answers");
    if (group.dataset.step !== open.name) {
      const buttons = open.step.answers.map((text) => element("button", { type: "button" }, text));
      buttons.forEach((button, place) => button.addEventListener("click", () => take(place)));
      group.replaceChildren(...buttons);
      group.dataset.step = open.name;
    }
    [...group.children].forEach((button, place) =>
      button.setAttribute("aria-pressed", place === open.guess),
    );
  }

  function take(place) {
    open.guess = place;
    show(state.get());
    look();
  }

  function mark() {
    for (const asked of document.querySelectorAll(".explorer-asked")) {
      asked.classList.remove("explorer-asked");
    }
    if (open && open.guess !== null && !open.outcome) {
      const control = byId(open.step.control);
      (control.closest("label") ?? control).classList.add("explorer-asked");
    }
  }

  /** A live region speaks of what changes in it: so what has not changed stays. */
  function tell(parts) {
    const region = byId("tour-said");
    const text = (nodes) => nodes.map((node) => node.textContent).join("\n");
    if (text([...region.children]) !== text(parts)) region.replaceChildren(...parts);
  }

  function showClosed() {
    const isFresh = resume === NAMES[0];
    byId("tour-title").textContent = "The tour";
    tell([paragraph("Guess, try, and see what happens.")]);
    byId("tour-next").textContent = isFresh
      ? "Take the tour"
      : `Go on: ${tourSteps[resume].title}`;
  }

  const following = () => NAMES[NAMES.indexOf(open.name) + 1];

  function showOpen(choice) {
    byId("tour-title").textContent = open.step.title;
    tell(said(choice));
    showAnswers();
    byId("tour-next").textContent = following() ? `Next: ${tourSteps[following()].title}` : "Finish";
  }

  function show(choice) {
    if (open) showOpen(choice);
    else showClosed();
    byId("tour").classList.toggle("explorer-closed", !open);
    byId("tour-leave").hidden = !open;
    byId("tour-answers").hidden = !open || open.outcome !== null;
    byId("tour-show").hidden = !open || open.guess === null || open.outcome !== null;
    byId("tour-next").hidden = open !== null && !open.outcome;
    showSteps();
    mark();
    if (open?.isNews) bringNews();
  }

  /** Show what has changed; who acts with the keyboard reads on at what it means. */
  function bringNews() {
    open.isNews = false;
    look();
    if (!isByKeyboard) return;
    left = { control: document.activeElement, outcome: open.outcome };
    goToOutcome();
  }

  const behaviour = () => (Page.prefersStillness() ? "auto" : "smooth");

  const isSticky = (part) => getComputedStyle(part).position === "sticky";

  /** From where to where one sees: between the bars and the tour, where they lie over the rest. */
  function view() {
    const [bar, tour] = [document.querySelector(".explorer-bar"), byId("tour")];
    const head = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
    return {
      top: isSticky(bar) ? Math.max(bar.getBoundingClientRect().bottom, head) : head,
      foot: isSticky(tour) ? tour.getBoundingClientRect().top : window.innerHeight,
    };
  }

  /** Whether an element is in view, or as much of it as there is room for, nearly. */
  function isInView(element) {
    const { top, foot } = view();
    const place = element.getBoundingClientRect();
    const seen = Math.min(place.bottom, foot) - Math.max(place.top, top);
    return seen >= ENOUGH * Math.min(place.height, foot - top);
  }

  /** Bring what a step is about into view, unless it is there. */
  function look() {
    const target = byId(open?.step.look ?? "first");
    if (!isInView(target)) target.scrollIntoView({ behavior: behaviour() });
  }

  /** Unless the reader has gone elsewhere meanwhile. */
  const goToOutcome = Page.afterBurst(() => {
    const { control, outcome } = left;
    left = null;
    if (document.activeElement !== control || open?.outcome !== outcome) return;
    byId("tour-said").querySelector("p").focus({ preventScroll: true });
  }, REST);

  /** A slider, or a game's name, may take some more keys. */
  function noteHands() {
    const options = { capture: true };
    window.addEventListener("pointerdown", () => (isByKeyboard = false), options);
    window.addEventListener("keydown", () => {
      isByKeyboard = true;
      if (left) goToOutcome();
    }, options);
  }

  function goTo(name) {
    controls.stop();
    open = null;
    state.open(state.startOf(name));
    byId("tour-title").focus({ preventScroll: true });
    look();
  }

  function leave() {
    controls.stop();
    if (!following() && open.outcome) resume = NAMES[0];
    remember(resume);
    state.set({ tour: null });
    byId("tour-next").focus({ preventScroll: true });
  }

  function next() {
    if (!open) goTo(resume);
    else if (following()) goTo(following());
    else leave();
  }

  function showControl() {
    const control = byId(open.step.control);
    const place = control.closest("label") ?? control;
    if (!control.closest(".explorer-bar") && !isInView(place)) {
      place.scrollIntoView({ block: "nearest", behavior: behaviour() });
    }
    control.focus({ preventScroll: true });
  }

  /** The first step trains its networks before the eyes of who comes for the first time. */
  function playByItself() {
    state.set(state.startOf(NAMES[0]));
    if (Page.prefersStillness()) return;
    isPlayingByItself = true;
    open.hasPlayed = true;
    controls.start();
    for (const touch of ["pointerdown", "keydown"]) {
      byId("root").addEventListener(touch, takeOver, { capture: true });
    }
  }

  /** Whoever touches the explorer finds it trained; its own button only pauses. */
  function takeOver({ target }) {
    if (!isPlayingByItself) return;
    isPlayingByItself = false;
    if (controls.isPlaying() && target !== byId("play")) {
      controls.stop();
      state.set({ step: open.start.step });
    } else show(state.get());
  }

  function build() {
    const kept = remembered();
    if (NAMES.includes(kept)) resume = kept;
    steps();
    byId("tour-leave").addEventListener("click", leave);
    byId("tour-next").addEventListener("click", next);
    byId("tour-show").addEventListener("click", showControl);
    charts.hide(isHidden);
    noteHands();
    // Before the state takes what the address says: each address sets its scene anew.
    window.addEventListener("hashchange", () => {
      open = null;
      isPlayingByItself = false;
      controls.stop();
    }, { capture: true });
    state.onChange(follow);
    state.onChange(show);
  }

  /** Once all is there: what the address asks for, or the first step for who is new. */
  function welcome() {
    if (location.hash.includes("=")) {
      if (open?.step.look) look();
    } else if (remembered() === null) playByItself();
  }

  return { build, welcome, look };
})();
