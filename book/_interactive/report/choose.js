/* The page "A table of your own": a table is chosen, dropped or the example, read, and answered. */
"use strict";

(() => {
  const { byId, Refused, tables, statistics, words, answer, example, text } = YourTable;
  let asked = 0;

  /** Let the browser show what has changed before it has to compute. */
  const shown = () => new Promise((resolve) => setTimeout(resolve, 30));

  /** Say how far it is, or what is wrong; what the page shows is said to those who do not see it. */
  function say(status, { refusal = "", unseen = false } = {}) {
    byId("status").textContent = status;
    byId("status").classList.toggle("report-unseen", unseen);
    byId("refusal").textContent = refusal;
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
      // Others are of a file that is gone, or of one that takes more memory than there is.
      const line = error instanceof Refused ? error.message : `${name} cannot be read: ${error.message}`;
      say("", { refusal: text.line(line) });
    }
  }

  const read = (file) => report(file.name, () => file.arrayBuffer());

  function onDrop(event) {
    event.preventDefault();
    byId("area").classList.remove("report-over");
    const [file] = event.dataTransfer.files;
    if (file) read(file);
  }

  function onOver(event) {
    event.preventDefault(); // or else the browser would open the file in place of the page
    byId("area").classList.add("report-over");
  }

  byId("root").hidden = false;
  byId("example").textContent = example.described;
  byId("file").addEventListener("change", ({ target }) => {
    if (target.files.length) read(target.files[0]);
    target.value = ""; // so that the same file can be chosen again once it is mended
  });
  byId("try").addEventListener("click", () => report(example.name, example.content));
  byId("area").addEventListener("dragover", onOver);
  byId("area").addEventListener("dragleave", () => byId("area").classList.remove("report-over"));
  byId("area").addEventListener("drop", onDrop);
  answer.build();
})();
