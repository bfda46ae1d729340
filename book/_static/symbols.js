/* The equation-first way through the book: a button opens every box "In symbols", on this page and the next ones. */
(() => {
  "use strict";

  const KEY = "mixedsim-symbols";

  /* Pages opened from disk may have no storage; then the choice holds for one page. */
  const remembered = () => {
    try { return localStorage.getItem(KEY) === "open"; } catch { return false; }
  };
  const remember = (open) => {
    try { localStorage.setItem(KEY, open ? "open" : "folded"); } catch { /* for this page only */ }
  };

  /* Two kinds of folded boxes: admonitions, which have a button, and <details>. */
  const TITLE = /^\s*(the same )?in symbols/i;
  const boxesOf = (page) => [
    ...page.querySelectorAll(".in-symbols.dropdown"),
    ...[...page.querySelectorAll("details.sd-dropdown")].filter((one) => TITLE.test(one.querySelector("summary").textContent)),
  ];

  const fold = (box, open) => {
    if (box.tagName === "DETAILS") {
      box.open = open;
      return;
    }
    const folded = box.classList.contains("toggle-hidden");
    if (folded === open) box.querySelector("button.toggle-button")?.click();
  };

  function begin() {
    const boxes = boxesOf(document);
    const title = document.querySelector("article h1");
    if (!boxes.length || !title) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "symbols-button";
    const show = (open) => {
      boxes.forEach((box) => fold(box, open));
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? "Fold the formulas" : "Equations first: open all formulas";
    };
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      remember(open);
      show(open);
    });
    title.after(button);
    show(remembered());
  }

  /* After the toggle buttons of the boxes, which come with the end of loading. */
  if (document.readyState === "complete") begin();
  else window.addEventListener("load", begin);
})();
