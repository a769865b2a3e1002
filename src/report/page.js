"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Values under the pointer: what a mark's title says, at once instead of after the browser's delay.
  const tip = document.getElementById("tip");
  const titled = (event) => event.target.closest?.("svg .m, svg .order");
  const move = (event) => {
    const mark = titled(event);
    const title = mark?.querySelector("title");
    if (title) {
      mark.dataset.tip = title.textContent;
      title.remove();
    }
    tip.hidden = !mark?.dataset.tip;
    if (tip.hidden) return;
    tip.textContent = mark.dataset.tip;
    const { innerWidth, innerHeight } = window;
    const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    const above = event.clientY + 18 + tip.offsetHeight > innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${event.clientY + (above ? -12 - tip.offsetHeight : 18)}px`;
  };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerdown", move);
  document.addEventListener("scroll", () => { tip.hidden = true; }, true);

  // Legends switch series off and on.
  for (const key of all(".key")) {
    key.addEventListener("click", () => {
      const shown = key.getAttribute("aria-pressed") !== "true";
      key.setAttribute("aria-pressed", String(shown));
      for (const mark of all(`svg .${key.dataset.s}`, key.closest("figure"))) {
        mark.classList.toggle("off", !shown);
      }
    });
  }

  // Tables as CSV, with the exact values that stand behind the rounded ones, and with texts that no
  // spreadsheet runs as formulas.
  const cell = (node) => {
    const text = node.dataset.v ?? node.textContent;
    return /[",;\n\r\t|!(=]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  for (const button of all("button.csv")) {
    button.addEventListener("click", () => {
      const rows = all("tr", document.getElementById(button.dataset.table));
      const text = rows.map((row) => [...row.children].map(cell).join(",")).join("\r\n");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" }));
      link.download = `${button.dataset.table.replace(/-table$/, "")}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  }

  // Search.
  const search = document.getElementById("search");
  if (search) {
    const found = document.getElementById("found");
    const rows = all("tbody tr", document.getElementById(search.dataset.table));
    const language = document.documentElement.lang;
    const plain = (text) => text.toLocaleLowerCase(language);
    const texts = rows.map((row) => plain([...row.children].map((td) => td.textContent).join(" ")));
    search.addEventListener("input", () => {
      const words = plain(search.value).split(/\s+/).filter(Boolean);
      let count = 0;
      rows.forEach((row, i) => {
        const match = words.every((word) => texts[i].includes(word));
        row.hidden = !match;
        count += match;
      });
      found.textContent = words.length === 0 ? "" : count || found.dataset.none;
    });
  }

  // One of several drawings.
  for (const select of all("select[data-choose]")) {
    const show = () => {
      for (const part of all(`[data-choice="${select.dataset.choose}"]`)) {
        part.hidden = part.dataset.at !== select.value;
      }
    };
    select.addEventListener("change", show);
    show();
  }
})();
