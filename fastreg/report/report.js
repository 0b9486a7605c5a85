(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("fastreg-data").textContent);
  document.documentElement.classList.add("js");
  if (!data.lines || !data.lines.length) return;

  // Rows of the list that are made at once; a button shows the rest.
  const ROWS = 200;
  // Pixels within which a pointer is on a line.
  const REACH = 14;
  const UNITS = 1000;
  const SVG = "http://www.w3.org/2000/svg";
  const MINUS = "\u2212";

  const byId = (id) => document.getElementById(id);
  const chart = document.querySelector("#path .chart");
  const plot = chart.querySelector(".plot");
  const picture = plot.querySelector(".picture");
  const slider = byId("alpha");
  const filter = byId("filter");
  const output = byId("output");
  const body = byId("features");
  const count = data.alphas.length;

  // The state of the page: everything shown follows from it.
  let k = data.start;
  let along = "alpha";
  let sort = { by: "size", down: true };
  let pinned = -1;
  let pointed = -1;
  let showsAll = false;

  // Lines: {feature, output, first, values}, with a coefficient at each alpha.
  const lines = data.lines.map(([feature, c, first, values]) => ({ feature, output: c, first, values }));
  const at = (line, i) => {
    const value = line.values[i - line.first];
    return value === undefined ? 0 : value;
  };
  const [low, high] = data.y;
  const unit = Math.max(Math.abs(low), Math.abs(high));
  const heightOf = (value) => (value / unit - low / unit) / (high / unit - low / unit);
  const nameOf = (line) =>
    data.names[line.feature] + (data.outputs.length ? ": " + data.outputs[line.output] : "");

  // Numbers for the eye: significant digits without trailing zeros, a true minus sign.
  function words(value, digits) {
    if (value === null || value === undefined) return "\u2013";
    let text = value === 0 ? "0" : value.toPrecision(digits);
    const parts = text.split("e");
    if (parts[0].includes(".")) parts[0] = parts[0].replace(/\.?0+$/, "");
    text = parts.join("e").replace("e+", "e");
    if (value !== 0 && Math.abs(value) < 1e-4 && !text.includes("e")) {
      const [mantissa, power] = value.toExponential(digits - 1).split("e");
      text = mantissa.replace(/\.?0+$/, "") + "e" + Number(power);
    }
    return text.replace(/^-/, MINUS);
  }

  function element(tag, kind, text) {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // The lines are drawn on two canvases: all of them in grey below, those of the model above.
  const layers = ["all", "model"].map(() => {
    const canvas = element("canvas");
    canvas.setAttribute("aria-hidden", "true");
    plot.insertBefore(canvas, picture.nextSibling);
    return canvas;
  }).reverse();
  const stills = picture.querySelectorAll(".quiet, .strong");
  stills.forEach((line) => line.remove());
  const marks = picture.querySelectorAll(".mark");
  const front = document.createElementNS(SVG, "svg");
  front.setAttribute("class", "picture");
  front.setAttribute("viewBox", "0 0 " + UNITS + " " + UNITS);
  front.setAttribute("preserveAspectRatio", "none");
  front.setAttribute("aria-hidden", "true");
  const cut = document.createElementNS(SVG, "path");
  cut.setAttribute("class", "cut");
  const hover = document.createElementNS(SVG, "path");
  hover.setAttribute("class", "hover");
  front.append(cut, hover);
  plot.insertBefore(front, plot.querySelector(".ticks-y"));
  const tip = element("div", "tip");
  tip.hidden = true;
  plot.append(tip);

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  const places = () => data.axes[along].places;
  const isShown = (line) => !output || output.value === "" || line.output === Number(output.value);

  // Calls with every stretch of a line that does not rest at zero, ends at zero included.
  function trace(line, move, draw) {
    const x = places();
    const from = Math.max(line.first - 1, 0);
    const to = Math.min(line.first + line.values.length, count - 1);
    if (from === to) {
      move(x[from], heightOf(at(line, from)));
      draw(x[from] + 0.004, heightOf(at(line, from)));
      return;
    }
    let begun = false;
    for (let i = from; i <= to; i += 1) {
      const value = at(line, i);
      const rests = value === 0 && (i === from || at(line, i - 1) === 0) && (i === to || at(line, i + 1) === 0);
      if (rests) begun = false;
      else (begun ? draw : move)(x[i], heightOf(value));
      begun = !rests;
    }
  }

  // The line as the data of an SVG path.
  function pathOf(line) {
    let path = "";
    const put = (letter) => (x, y) => {
      path += letter + (UNITS * x).toFixed(1) + " " + (UNITS * (1 - y)).toFixed(1);
    };
    trace(line, put("M"), put("L"));
    return path;
  }

  function paint(canvas, chosen, ink, width, opacity) {
    const ratio = window.devicePixelRatio || 1;
    const box = plot.getBoundingClientRect();
    const wide = Math.round(box.width * ratio);
    const tall = Math.round(box.height * ratio);
    if (canvas.width !== wide) canvas.width = wide;
    if (canvas.height !== tall) canvas.height = tall;
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, wide, tall);
    pen.strokeStyle = ink;
    pen.globalAlpha = opacity;
    pen.lineWidth = width * ratio;
    pen.lineJoin = "round";
    pen.beginPath();
    chosen.forEach((line) => trace(
      line,
      (x, y) => pen.moveTo(x * wide, (1 - y) * tall),
      (x, y) => pen.lineTo(x * wide, (1 - y) * tall),
    ));
    pen.stroke();
  }

  const hits = (line) => {
    const text = filter.value.trim().toLowerCase();
    return !text || data.names[line.feature].toLowerCase().includes(text);
  };
  const inModel = () => lines.filter((line) => isShown(line) && at(line, k) !== 0 && hits(line));

  function drawAll() {
    paint(layers[0], lines.filter(isShown), colour("line"), 1, lines.length > 300 ? 0.6 : 0.85);
    drawModel();
  }

  function drawModel() {
    const chosen = inModel();
    paint(layers[1], chosen, colour("accent"), 1.4, chosen.length > 60 ? 0.6 : 0.9);
    cut.setAttribute("d", "M" + UNITS * places()[k] + " 0V" + UNITS);
    drawHover();
  }

  function drawHover() {
    const which = pointed >= 0 ? pointed : pinned;
    hover.setAttribute("d", which >= 0 ? pathOf(lines[which]) : "");
    plot.querySelectorAll(".edge").forEach((name) => {
      name.classList.toggle("on", Number(name.dataset.line) === which);
    });
    body.querySelectorAll("tr").forEach((row) => {
      row.classList.toggle("on", Number(row.dataset.line) === which);
    });
  }

  // The list of the model.
  function ordered(chosen) {
    const keys = {
      size: (i) => Math.abs(at(lines[i], k)),
      rank: (i) => data.rank[lines[i].feature],
      name: (i) => data.names[lines[i].feature],
      output: (i) => lines[i].output,
    };
    const key = keys[sort.by];
    const compare = sort.by === "name"
      ? (a, b) => key(a).localeCompare(key(b), undefined, { numeric: true })
      : (a, b) => key(a) - key(b);
    return chosen.sort((a, b) => (sort.down ? compare(b, a) : compare(a, b)) || a - b);
  }

  function row(i, largest) {
    const line = lines[i];
    const value = at(line, k);
    const made = element("tr");
    made.dataset.line = i;
    const head = element("th");
    head.scope = "row";
    const press = element("button");
    press.type = "button";
    press.setAttribute("aria-pressed", String(i === pinned));
    press.append(element("bdi", "", data.names[line.feature]));
    head.append(press);
    made.append(head);
    if (data.outputs.length) {
      const cell = element("td");
      cell.append(element("bdi", "", data.outputs[line.output]));
      made.append(cell);
    }
    made.append(element("td", "num", words(value, 4)));
    const cell = element("td", "bar");
    cell.setAttribute("aria-hidden", "true");
    const bar = element("i");
    const wide = 50 * Math.abs(value / largest);
    bar.style.left = (value > 0 ? 50 : 50 - wide) + "%";
    bar.style.width = wide + "%";
    cell.append(bar);
    made.append(cell, element("td", "num", data.rank[line.feature]));
    made.append(element("td", "num wide", data.entry[line.feature]));
    return made;
  }

  function list() {
    const all = [];
    let largest = 0;
    lines.forEach((line, i) => {
      const value = at(line, k);
      if (value === 0 || !isShown(line)) return;
      largest = Math.max(largest, Math.abs(value));
      if (hits(line)) all.push(i);
    });
    ordered(all);
    const shown = showsAll ? all : all.slice(0, ROWS);
    const focused = document.activeElement && document.activeElement.closest("#features tr");
    const kept = focused ? focused.dataset.line : null;
    body.replaceChildren(...shown.map((i) => row(i, largest)));
    if (kept !== null) {
      const again = body.querySelector('tr[data-line="' + kept + '"] button');
      if (again) again.focus({ preventScroll: true });
    }
    const what = data.outputs.length ? "coefficients" : "features";
    let found = all.length + " " + (all.length === 1 ? what.slice(0, -1) : what);
    if (!all.length) found = filter.value ? "no name in the model matches" : "no feature is in the model";
    byId("found").textContent = found;
    const left = all.length - shown.length;
    byId("more").textContent = left > 0 ? "The first " + shown.length + " of " + all.length + "." : "";
    byId("all").hidden = left <= 0;
  }

  function readout() {
    const gap = data.relative_gaps[k];
    const missed = gap === null || gap > data.tol;
    const put = (name, text) => {
      const place = byId("at-" + name);
      if (place) place.textContent = text;
    };
    put("alpha", words(data.alphas[k], 5));
    put("features", data.counts[k].toLocaleString("en"));
    put("deviance", words(data.dev_ratio[k] === null ? null : 100 * data.dev_ratio[k], 4) + " %");
    put("gap", words(gap, 2) + (missed ? " (above tol)" : ""));
    if (data.intercepts.length === 1) put("intercept", words(data.intercepts[0][k], 4));
    const said = "alpha " + words(data.alphas[k], 4) + ", " + data.counts[k] + " features";
    slider.setAttribute("aria-valuetext", said);
  }

  let isWaiting = false;
  function update() {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      readout();
      list();
      drawModel();
    });
  }

  function labels(holder, ticks, side) {
    holder.replaceChildren(...ticks.map(([share, text], i) => {
      const made = element("span", "tick " + side + (i % 2 ? " odd" : ""), text);
      made.style.left = 100 * share + "%";
      return made;
    }));
  }

  function setAxis(name) {
    along = name;
    const axis = data.axes[name];
    chart.querySelector(".axis-label.x").textContent = axis.label;
    labels(plot.querySelector(".ticks-x"), axis.ticks, "x");
    labels(plot.querySelector(".ticks-top"), axis.top, "top");
    marks.forEach((mark, i) => {
      mark.setAttribute("d", "M" + UNITS * axis.places[data.marks[i].k] + " 0V" + UNITS);
    });
    drawAll();
  }

  // What the pointer is on.
  function nearest(event) {
    const box = plot.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const x = places();
    let right = x.findIndex((place) => place >= share);
    if (right < 0) right = count - 1;
    const left = Math.max(right - 1, 0);
    const part = x[right] > x[left] ? Math.min(Math.max((share - x[left]) / (x[right] - x[left]), 0), 1) : 1;
    let best = -1;
    let least = REACH;
    lines.forEach((line, i) => {
      if (!isShown(line)) return;
      const a = at(line, left);
      const b = at(line, right);
      if (a === 0 && b === 0) return;
      const height = (1 - part) * heightOf(a) + part * heightOf(b);
      const away = Math.abs((1 - height) * box.height - (event.clientY - box.top));
      if (away < least) {
        least = away;
        best = i;
      }
    });
    return { best, k: part < 0.5 ? left : right, x: event.clientX - box.left, y: event.clientY - box.top, box };
  }

  function point(event) {
    const found = nearest(event);
    pointed = found.best;
    tip.hidden = pointed < 0;
    plot.style.cursor = pointed < 0 ? "" : "pointer";
    if (pointed >= 0) {
      const line = lines[pointed];
      tip.replaceChildren(element("bdi", "", nameOf(line)), document.createElement("br"),
        words(at(line, found.k), 4) + " at alpha " + words(data.alphas[found.k], 4));
      const isRight = found.x > found.box.width / 2;
      tip.style.left = isRight ? "" : found.x + 14 + "px";
      tip.style.right = isRight ? found.box.width - found.x + 14 + "px" : "";
      tip.style.top = Math.max(found.y - 48, 0) + "px";
    }
    drawHover();
  }

  function leave() {
    pointed = -1;
    tip.hidden = true;
    drawHover();
  }

  function pin(i) {
    pinned = pinned === i ? -1 : i;
    body.querySelectorAll("tr").forEach((each) => {
      each.querySelector("button").setAttribute("aria-pressed", String(Number(each.dataset.line) === pinned));
    });
    drawHover();
  }

  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", leave);
  plot.addEventListener("click", () => pin(pointed));
  body.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (pressed) pin(Number(pressed.closest("tr").dataset.line));
  });
  body.addEventListener("pointerover", (event) => {
    const over = event.target.closest("tr");
    pointed = over && over.dataset.line ? Number(over.dataset.line) : -1;
    drawHover();
  });
  body.addEventListener("pointerleave", leave);

  slider.disabled = count < 2;
  slider.addEventListener("input", () => {
    k = Number(slider.value);
    showsAll = false;
    update();
  });
  document.querySelectorAll(".jump").forEach((button) => {
    button.addEventListener("click", () => {
      k = Number(button.dataset.k);
      slider.value = k;
      update();
    });
  });
  filter.addEventListener("input", update);
  byId("all").addEventListener("click", () => {
    showsAll = true;
    list();
    const first = body.querySelectorAll("button")[ROWS];
    if (first) first.focus();
  });
  if (output) {
    output.addEventListener("change", () => {
      const only = (name) => isShown(lines[Number(name.dataset.line)]);
      plot.querySelectorAll(".edge, .leaders path").forEach((name) => {
        name.style.visibility = only(name) ? "" : "hidden";
      });
      leave();
      drawAll();
      update();
    });
  }
  document.querySelectorAll('input[name="along"]').forEach((radio) => {
    radio.addEventListener("change", () => setAxis(radio.value));
  });
  document.querySelectorAll(".features [data-sort]").forEach((head) => {
    const press = element("button", "", head.textContent);
    press.type = "button";
    head.replaceChildren(press);
    if (head.dataset.sort === sort.by) head.setAttribute("aria-sort", "descending");
    press.addEventListener("click", () => {
      const by = head.dataset.sort;
      sort = { by, down: sort.by === by ? !sort.down : by === "size" };
      document.querySelectorAll(".features [data-sort]").forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      list();
      drawHover();
    });
  });

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  // On paper the lines are an SVG, which fits whatever the paper's width is; a canvas would be stretched.
  const onPaper = ["quiet", "strong"].map((kind) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", kind + " paper");
    return path;
  });
  window.addEventListener("beforeprint", () => {
    const chosen = new Set(inModel());
    const rest = lines.filter((line) => isShown(line) && !chosen.has(line));
    onPaper[0].setAttribute("d", rest.map(pathOf).join(""));
    onPaper[1].setAttribute("d", [...chosen].map(pathOf).join(""));
    front.prepend(...onPaper);
  });
  window.addEventListener("afterprint", () => onPaper.forEach((path) => path.remove()));
  new ResizeObserver(drawAll).observe(plot);
  setAxis("alpha");
  update();
})();
