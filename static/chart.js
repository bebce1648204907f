// Hover and zoom for the charts that the server draws. Everything is delegated from the
// document, so a chart that an update replaces needs no new listener.

"use strict";

(() => {
  const SMALLEST_DRAG = 8; // pixels; less is a click
  let drag = null;
  let pointer = null; // where it was last seen over a chart

  const plotOf = ({ target }) =>
    target instanceof Element ? target.closest("[data-chart-plot]") : null;

  // Where the plot's steps lie: percent of the width, as the server placed them.
  const scaleOf = (plot) => {
    const box = plot.getBoundingClientRect();
    const left = (box.width * Number(plot.dataset.left)) / 100;
    const right = (box.width * Number(plot.dataset.right)) / 100;
    const first = Number(plot.dataset.first);
    const last = Number(plot.dataset.last);
    const span = last - first || 1;
    return {
      box,
      stepAt: (x) => first + ((x - box.left - left) / (right - left)) * span,
      xOf: (step) =>
        first === last ? (left + right) / 2 : left + ((step - first) / span) * (right - left),
    };
  };

  const nearest = (readings, step) =>
    readings.reduce((best, each) =>
      Math.abs(each.step - step) < Math.abs(best.step - step) ? each : best,
    );

  const readingsOf = (figure) => {
    if (!figure.chartReadings) {
      figure.chartReadings = JSON.parse(figure.dataset.chart);
    }
    return figure.chartReadings;
  };

  const showValues = (figure, reading) => {
    for (const value of figure.querySelectorAll("[data-chart-value]")) {
      const known = reading && reading[value.dataset.chartValue];
      value.textContent = reading
        ? known === undefined ? "–" : known.toFixed(4)
        : value.dataset.latest;
    }
    const step = figure.querySelector("[data-chart-step]");
    step.hidden = !reading;
    step.textContent = reading ? `${step.dataset.word} ${reading.step}` : "";
  };

  const moveCursor = (plot, event) => {
    const figure = plot.closest("[data-chart]");
    const scale = scaleOf(plot);
    const readings = readingsOf(figure);
    if (readings.length === 0) return;
    const reading = nearest(readings, scale.stepAt(event.clientX));
    const cursor = plot.querySelector("[data-chart-cursor]");
    cursor.setAttribute("x1", scale.xOf(reading.step));
    cursor.setAttribute("x2", scale.xOf(reading.step));
    cursor.setAttribute("visibility", "visible");
    showValues(figure, reading);
  };

  const leave = (plot) => {
    plot.querySelector("[data-chart-cursor]").setAttribute("visibility", "hidden");
    showValues(plot.closest("[data-chart]"), null);
  };

  const drawBrush = (plot, from, to) => {
    const brush = plot.querySelector("[data-chart-brush]");
    const left = plot.getBoundingClientRect().left;
    brush.setAttribute("x", Math.min(from, to) - left);
    brush.setAttribute("width", Math.abs(to - from));
    brush.setAttribute("visibility", "visible");
  };

  // The server draws the chosen part; the form remembers it for the updates to come.
  const zoom = (first, last) => {
    const form = document.getElementById("chart-form");
    form.elements.first.value = first;
    form.elements.last.value = last;
    form.elements.last.dispatchEvent(new Event("change", { bubbles: true }));
  };

  document.addEventListener("pointerdown", (event) => {
    const plot = plotOf(event);
    if (plot && event.button === 0 && event.pointerType === "mouse") {
      drag = { figure: plot.closest("[data-chart]").id, from: event.clientX };
    }
  });

  document.addEventListener("pointermove", (event) => {
    const plot = plotOf(event);
    pointer = plot && { clientX: event.clientX, clientY: event.clientY };
    if (!plot) return;
    moveCursor(plot, event);
    if (drag && plot.closest("[data-chart]").id === drag.figure) {
      drawBrush(plot, drag.from, event.clientX);
    }
  });

  document.addEventListener("pointerout", (event) => {
    const plot = plotOf(event);
    if (plot && !plot.contains(event.relatedTarget)) leave(plot);
  });

  document.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { figure, from } = drag;
    drag = null;
    const plot = document.getElementById(figure)?.querySelector("[data-chart-plot]");
    if (!plot) return;
    plot.querySelector("[data-chart-brush]").setAttribute("visibility", "hidden");
    if (Math.abs(event.clientX - from) < SMALLEST_DRAG) return;
    const scale = scaleOf(plot);
    const ends = [scale.stepAt(from), scale.stepAt(event.clientX)].sort((a, b) => a - b);
    zoom(Math.max(0, Math.round(ends[0])), Math.max(1, Math.round(ends[1])));
  });

  // An update drew the chart anew under a pointer that rests.
  document.addEventListener("htmx:oobAfterSwap", () => {
    if (!pointer) return;
    const plot = plotOf({ target: document.elementFromPoint(pointer.clientX, pointer.clientY) });
    if (plot) moveCursor(plot, pointer);
  });

  document.addEventListener("dblclick", (event) => {
    if (plotOf(event)) zoom("", "");
  });
})();
