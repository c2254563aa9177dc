// What the theme leaves open, in behaviour: companion.css has the looks.

// A page that was opened from a file must not read others, from which summaries would be made.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What scrolls in its own box can be scrolled with the keyboard. The theme does the same for code
// and tables. A font that arrives makes a formula wider, and not its box.
document.addEventListener("DOMContentLoaded", () => {
  const allow = (box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  for (const image of document.querySelectorAll(".bd-article figure > img")) {
    const picture = Object.assign(document.createElement("div"), { className: "picture" });
    image.replaceWith(picture);
    picture.append(image);
  }
  const boxes = [...document.querySelectorAll(".bd-article :is(.picture, .cell_output, div.tex)")];
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => allow(target)));
  boxes.forEach((box) => observer.observe(box));
  document.fonts.addEventListener("loadingdone", () => boxes.forEach(allow));
});

// Escape closes the cards of glossary terms that are open, until the reader has left the term.
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const term of document.querySelectorAll(".glossary-term:is(:hover, :focus-within)"))
    term.classList.add("card-closed");
});
for (const reached of ["pointerover", "focusin"])
  document.addEventListener(reached, ({ target }) => {
    for (const term of document.querySelectorAll(".card-closed"))
      if (!term.contains(target)) term.classList.remove("card-closed");
  });

// A button in the header marks the numbers that lead to the cell behind them, on all pages from then
// on. Without storage, as in some private windows, on this page.
const stored = (act) => {
  try {
    return act(localStorage);
  } catch {
    return null;
  }
};
const markSources = (shown) => {
  document.documentElement.dataset.sources = shown ? "shown" : "quiet";
  document.querySelector(".source-button")?.setAttribute("aria-pressed", shown);
};
document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector(".source-button");
  if (!button) return;
  markSources(stored((storage) => storage.getItem("sources")) === "shown");
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    markSources(shown);
    stored((storage) => storage.setItem("sources", shown ? "shown" : "quiet"));
  });
});
