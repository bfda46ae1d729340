/* Explorers: sliders choose one of the settings that were computed beforehand; nothing is computed here. */
(function () {
  "use strict";
  const NARROW = 620; // pixels of width below which panels stand below each other

  function shown(value, digits) {
    if (typeof value === "string") return value;
    return value === null ? "–" : value.toFixed(digits).replace("-", "−");
  }

  /* The number of a state among all: the last control moves fastest. */
  function place(data, inputs) {
    return inputs.reduce((sum, input, k) => sum * data.controls[k].texts.length + Number(input.value), 0);
  }

  /* The numbers of a state by name. */
  function numbersOf(data, state) {
    return Object.fromEntries(data.names.map((name, k) => [name, data.pool[state.numbers[k]]]));
  }

  function filled(trace, bound, numbers) {
    const out = structuredClone(trace);
    for (const [path, name] of Object.entries(bound)) {
      const keys = path.split(".");
      const last = keys.pop();
      keys.reduce((part, key) => part[key], out)[last] = numbers[name];
    }
    return out;
  }

  function tell(root, data, state) {
    root.querySelector(".explorer-said").textContent = state.alt;
    root.querySelector(".explorer-picture").setAttribute("aria-label", state.alt);
    const numbers = numbersOf(data, state);
    const columns = data.columns.map((column) => numbers[column.numbers].map((v) => shown(v, column.digits)));
    const rows = columns[0].map((_, row) => {
      const line = document.createElement("tr");
      for (const column of columns) line.insertCell().textContent = column[row];
      return line;
    });
    root.querySelector("tbody").replaceChildren(...rows);
  }

  function start(root) {
    root.dataset.ready = "yes";
    const data = JSON.parse(root.querySelector(".explorer-data").textContent);
    const picture = root.querySelector(".explorer-picture");
    const inputs = [...root.querySelectorAll("input[type=range]")];
    const back = root.querySelector(".explorer-back");
    const config = { displayModeBar: false, scrollZoom: false, doubleClick: false, showTips: false, responsive: false };
    let width = 0;

    function draw() {
      width = picture.clientWidth;
      if (!width) return; // in a folded part of the page: the observer calls again when it opens
      const numbers = numbersOf(data, data.states[place(data, inputs)]);
      const traces = data.traces.map((trace, k) => filled(trace, data.bound[k], numbers));
      const layout = structuredClone(width < NARROW ? data.narrow : data.wide);
      window.Plotly.react(picture, traces, { ...layout, width }, config);
      if (window.frameElement) window.frameElement.style.height = document.documentElement.scrollHeight + "px";
    }

    function move() {
      inputs.forEach((input, k) => {
        const text = data.controls[k].texts[Number(input.value)];
        input.setAttribute("aria-valuetext", text);
        input.parentElement.querySelector("output").textContent = text;
      });
      tell(root, data, data.states[place(data, inputs)]);
      draw();
    }

    inputs.forEach((input) => {
      input.disabled = false;
      input.addEventListener("input", move);
    });
    back.disabled = false;
    back.addEventListener("click", () => {
      inputs.forEach((input, k) => { input.value = data.controls[k].start; });
      move();
    });
    new ResizeObserver(() => { if (picture.clientWidth !== width) draw(); }).observe(picture);
    move();
  }

  function all() {
    document.querySelectorAll(".mixedsim-explorer:not([data-ready])").forEach(start);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
