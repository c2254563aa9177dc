/* The page "A table of your own": a table is chosen, dropped or the example, read, and answered. */
"use strict";

(() => {
  const { Refused, byId, tables, statistics, words, answer, hints, example, text } = YourTable;
  const NAMELESS = "a file without a name";
  let asked = 0;

  /** Let the browser show what has changed before it has to compute. */
  const shown = () => new Promise((resolve) => setTimeout(resolve, 30));

  /** Say how far it is, or what is wrong; what the page shows is said to those who do not see it. */
  function say(status, { refusal = "", unseen = false } = {}) {
    byId("status").textContent = status;
    byId("status").classList.toggle("unseen", unseen);
    byId("refusal").textContent = refusal;
  }

  /** Why a table is not answered, a line each, and what may help. */
  const refusalOf = (error, name) =>
    [`${name} cannot be answered.`, text.line(error.message), ...hints.on(error)].join("\n");

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

  function refuse(name, line) {
    report(name, () => {
      throw new Refused(line);
    });
  }

  /** Answer the one file that was chosen or dropped. */
  function take(files) {
    if (files.length > 1) {
      refuse(`${files.length} files`, `there are ${files.length} files: expected one table`);
    } else if (files.length) {
      const name = files[0].name || NAMELESS;
      report(name, () => files[0].arrayBuffer().catch(() => {
        const called = text.shortened(name);
        throw new Refused(`${called} cannot be read: expected a file that is there, not too large`);
      }));
    }
  }

  const hasFiles = ({ dataTransfer }) => Boolean(dataTransfer?.types.includes("Files"));

  function onDrop(event) {
    if (!hasFiles(event)) return; // dragged text goes where it would
    event.preventDefault();
    byId("area").classList.remove("report-over");
    const { files, items } = event.dataTransfer;
    byId("file").files = files; // so that its name is shown
    const folder = [...items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (folder && files.length === 1) {
      const { name } = files[0];
      refuse(name, `${text.shortened(name)} is a folder: expected a file`);
    } else {
      take(files);
    }
  }

  function onOver(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    byId("area").classList.add("report-over");
  }

  byId("root").hidden = false;
  byId("example").textContent = example.described;
  byId("download").href = URL.createObjectURL(new Blob([example.content()], { type: "text/csv" }));
  byId("download").download = example.name;
  byId("file").addEventListener("change", ({ target }) => {
    take(target.files);
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
