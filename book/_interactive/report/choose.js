/* The page "A table of your own": a table is chosen, dropped or the example, read, and answered. */
"use strict";

(() => {
  const { byId, tables, statistics, words, answer, example, text } = YourTable;
  let asked = 0;

  /** Let the browser show what has changed before it has to compute. */
  const shown = () => new Promise((resolve) => setTimeout(resolve, 30));

  /** Say how far it is, or what is wrong; what the page shows is said to those who do not see it. */
  function say(status, { refusal = "", unseen = false } = {}) {
    byId("status").textContent = status;
    byId("status").classList.toggle("unseen", unseen);
    byId("refusal").textContent = refusal;
  }

  /** Why a table is not answered: what is wrong with it, or a file that is gone or too large. */
  function refusalOf({ message }, name) {
    const counted = /\brows? \d/.test(message)
      ? "\nRows count from 0, without the header and blank lines." : "";
    return `${name} cannot be answered.\n${text.line(message)}${counted}`;
  }

  async function report(name, content) {
    const mine = (asked += 1);
    const called = text.line(text.shortened(name));
    answer.clear();
    say(`Reading ${called} …`);
    await shown();
    try {
      const outcomes = tables.outcomes(new Uint8Array(await content()), name);
      if (mine !== asked) return;
      say(`Computing the report on ${text.count(outcomes.rows)} rows …`);
      await shown();
      const found = statistics.report(outcomes);
      if (mine !== asked) return;
      answer.show(outcomes, found);
      say(words.conclusion(found).map(text.typeset).join(" "), { unseen: true });
    } catch (error) {
      if (mine !== asked) return;
      say("", { refusal: refusalOf(error, called) });
    }
  }

  /** Show no longer which file was chosen. */
  const forget = () => {
    byId("file").value = "";
  };

  const read = (file) => report(file.name, () => file.arrayBuffer());

  function onDrop(event) {
    event.preventDefault();
    byId("area").classList.remove("report-over");
    const { files } = event.dataTransfer;
    if (!files.length) return;
    byId("file").files = files; // so that its name is shown
    read(files[0]);
  }

  function onOver(event) {
    event.preventDefault();
    byId("area").classList.add("report-over");
  }

  byId("root").hidden = false;
  byId("example").textContent = example.described;
  byId("file").addEventListener("change", ({ target }) => {
    if (target.files.length) read(target.files[0]);
  });
  // So that the same file can be chosen again once it is mended.
  byId("file").addEventListener("click", forget);
  byId("try").addEventListener("click", () => {
    forget();
    report(example.name, example.content);
  });
  // Anywhere on the page: a file that misses the area would be opened in place of it.
  document.addEventListener("dragover", onOver);
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) byId("area").classList.remove("report-over");
  });
  document.addEventListener("drop", onDrop);
  answer.build();
})();
