
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const calls = data.calls.map((values) => Object.fromEntries(data.columns.map((name, place) => [name, values[place]])));
  const arrows = data.arrows.map(([source, target, kind, first, last]) => ({ source, target, kind, first, last }));
  data.order.forEach((point, place) => { calls[point >> 1][point & 1 ? "ends" : "begins"] = place; });
  arrows.forEach((arrow) => { calls[arrow.target].receives = true; });

  const ALL = null;
  const state = { mode: "order", folding: true, connection: ALL, opened: new Set(), alike: true, zoom: 1, chosen: null, details: false };
  const scroll = byId("scroll"), list = byId("calls"), head = byId("head"), details = byId("details");
  // What is shown now: see `show`.
  let view = null;

  // --- Words ---

  const digits = (value) => (value >= 99.95 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3))));
  const duration = (ns) => {
    if (ns >= 99.95e9) return `${Math.floor(Math.round(ns / 1e9) / 60)} min ${Math.round(ns / 1e9) % 60} s`;
    for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
      if (ns >= size * 0.9995) return `${digits(ns / size)} ${unit}`;
    }
    return `${Math.round(ns)} ns`;
  };
  const size = (count) => {
    if (count < 10000) return `${count.toLocaleString("en")} byte${count === 1 ? "" : "s"}`;
    for (const [unit, factor] of [["GB", 1e9], ["MB", 1e6]]) {
      if (count >= factor * 0.9995) return `${digits(count / factor)} ${unit}`;
    }
    return `${digits(count / 1e3)} kB`;
  };
  const many = (count, one, several = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
  const letter = (connection) => String.fromCharCode(65 + (connection % 26)) + (connection >= 26 ? Math.floor(connection / 26) : "");
  const colour = (connection) => (connection === null ? "kn" : `k${connection % 6}`);
  const callText = (call) => `${call.call}(${call.arguments})`;
  const laneText = (lane) => data.lanes[lane].program + (data.lanes[lane].thread ? `, ${data.lanes[lane].thread}` : "");
  const isBad = (call) => call.sign === "error";

  // --- Elements ---

  // Texts of a record become text and nothing else: no markup is ever parsed.
  const element = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const shape = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
  const fill = (made, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") made.addEventListener("click", value);
      else if (value !== null && value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };
  const place = (made, style) => {
    for (const [name, value] of Object.entries(style)) made.style[name] = typeof value === "number" ? `${value}px` : value;
    return made;
  };

  // --- What is shown: items, each a call or a fold ---

  const laterConnections = new Set(data.groups.flatMap((group) => group.slice(1)));
  const mergedLanes = new Set(data.merged.map(([lane]) => lane));
  const isHidden = (call) => {
    if (state.connection !== ALL) return call.connection !== state.connection;
    return state.folding && state.alike && (mergedLanes.has(call.lane) || laterConnections.has(call.connection));
  };

  const closedFolds = () => {
    if (!state.folding) return [];
    const cycles = data.cycles.filter((fold) => !state.opened.has(fold) && !isHidden(calls[fold.calls[0]]));
    return state.connection === ALL && state.alike ? [...data.alike, ...cycles] : cycles;
  };

  const itemsNow = () => {
    const items = [], owner = new Array(calls.length).fill(-1);
    const add = (item) => { item.number = items.length; items.push(item); item.calls.forEach((call) => { owner[call] = item.number; }); };
    for (const fold of closedFolds()) {
      const first = calls[fold.calls[0]], last = calls[fold.calls[fold.calls.length - 1]];
      const point = first.receives ? first.ends : first.begins;
      add({ lane: fold.lane, calls: fold.calls, fold, connection: fold.connection, begins: point, ends: point, t: first.t, end: last.t + last.took });
    }
    calls.forEach((call, number) => {
      if (owner[number] >= 0 || isHidden(call)) return;
      add({ lane: call.lane, calls: [number], call, connection: call.connection, begins: call.begins, ends: call.ends, t: call.t, end: call.t + call.took });
    });
    return [items, owner];
  };

  const linksNow = (items, owner) => {
    const found = new Map();
    for (const arrow of arrows) {
      const source = owner[arrow.source], target = owner[arrow.target];
      if (source < 0 || target < 0 || source === target) continue;
      const key = `${source} ${target} ${arrow.kind}`;
      if (!found.has(key)) found.set(key, { source: items[source], target: items[target], kind: arrow.kind, bytes: 0, count: 0 });
      const link = found.get(key);
      link.bytes += arrow.last - arrow.first;
      link.count += 1;
    }
    const links = [], taken = new Set();
    for (const [key, link] of found) {
      if (taken.has(key)) continue;
      const { source, target, kind } = link, there = `${source.number} ${target.number} `, back = `${target.number} ${source.number} `;
      if (source.fold && target.fold && kind !== "data" && (found.has(`${there}data`) || found.has(`${back}data`))) continue;
      link.back = found.get(back + kind);
      taken.add(back + kind);
      links.push(link);
    }
    return links;
  };

  const show = () => {
    const [items, owner] = itemsNow();
    const links = linksNow(items, owner);
    const lanes = [...new Set(items.map((item) => item.lane))].sort((a, b) => a - b);
    items.forEach((item) => { item.out = []; item.into = []; });
    // Two folds that belong together are at one point, if the calls of the earlier one go on until then.
    links.filter((link) => link.source.fold && link.target.fold).forEach(({ source, target }) => {
      const [early, late] = source.begins < target.begins ? [source, target] : [target, source];
      if (late.begins < calls[early.calls[early.calls.length - 1]].ends) early.begins = early.ends = late.begins;
    });
    links.forEach((link) => { link.source.out.push(link); link.target.into.push(link); });
    view = { items, owner, links, lanes, connections: new Set(items.map((item) => item.connection).filter((each) => each !== null)), ...geometry(lanes) };
    if (state.mode === "order") inOrder(view); else toScale(view);
    // What was sent before what was received of it, though both are in one row.
    view.items.sort((a, b) => a.y - b.y || anchor(a) - anchor(b)).forEach((item, position) => { item.position = position; });
    view.chosen = state.chosen === null ? null : view.items.find((item) => item.calls.includes(state.chosen)) || null;
    if (state.mode === "scale") thin();
    list.style.height = `${view.height}px`;
    byId("zoom").hidden = state.mode !== "scale";
    drawHead();
    drawn = null;
    draw();
  };

  // --- Where things are ---

  const geometry = (lanes) => {
    const width = scroll.clientWidth, count = Math.max(lanes.length, 1);
    const times = width < 640 ? 52 : 76;
    const gap = count > 1 ? Math.max(110, Math.min(200, width / 6)) : 0;
    const text = Math.min((width - times - gap - 40 * Math.max(count - 1, 1)) / count, count === 1 ? 720 : 400);
    if (text >= 230) {
      const used = times + text * count + gap + 40 * Math.max(count - 1, 1);
      const left = Math.max((width - used) / 2 - times / 2, 0);
      const at = new Map();
      let line = left + times + (count > 1 ? text + 14 : 34);
      lanes.forEach((lane, number) => {
        if (number === 1) line += gap; else if (number > 1) line += text + 40;
        const isLeft = count > 1 && number === 0;
        at.set(lane, { line, text: isLeft ? line - 10 - text : line + 10, width: text, left: isLeft });
      });
      return { at, rails: false, row: 24, times: left + times - 12, width };
    }
    // Where there are more lanes than room, all but the first take turns on the rails; each call has its lane's name beside it.
    const rail = Math.max(Math.min(width < 640 ? 20 : 26, (width < 640 ? 110 : 300) / count), 9);
    const rails = Math.min(count, Math.floor((width < 640 ? 110 : 300) / rail) + 1);
    const start = times + 14, name = width < 640 ? 0 : 140, begin = start + rail * (rails - 1) + 12;
    const at = new Map(lanes.map((lane, number) => {
      const track = number < rails ? number : 1 + ((number - 1) % (rails - 1));
      return [lane, { line: start + rail * track, text: begin, width: Math.max(width - begin - 8, 120), left: false, name }];
    }));
    return { at, rails: true, two: width < 640, row: width < 640 ? 40 : 24, times: times - 6, width };
  };

  const anchor = (item) => (calls[item.calls[0]].receives ? item.ends : item.begins);

  // One row for each item, or two if it waited and other things happened meanwhile: as in the SVG.
  const inOrder = (view) => {
    const anchors = view.items.map(anchor).sort((a, b) => a - b);
    const below = (value) => { let low = 0, high = anchors.length; while (low < high) { const middle = (low + high) >> 1; if (anchors[middle] < value) low = middle + 1; else high = middle; } return low; };
    const points = [];
    for (const item of view.items) {
      let between = 0;
      if (!item.fold && item.call.waited) {
        between = below(item.ends) - below(item.begins + 1);
        if (!item.call.receives) between -= item.out.filter((link) => item.begins < anchor(link.target) && anchor(link.target) < item.ends).length;
      }
      if (between > 0) points.push([item.begins, item, false], [item.ends, item, true]);
      else points.push([anchor(item), item, true]);
    }
    points.sort((a, b) => a[0] - b[0]);
    const started = new Set(), rows = [];
    let here = new Map();
    for (const [point, item, isEnd] of points) {
      const partners = new Set([...item.into.map((link) => link.source).filter((other) => !other.fold === !item.fold), ...item.out.filter((link) => item.fold && link.target.fold).map((link) => link.target)]);
      const level = isEnd && !view.rails && !here.has(item.lane) && [...here.values()].some((other) => partners.has(other) && other.first === rows.length - 1);
      if (!level) {
        const number = data.order[point], call = calls[number >> 1];
        rows.push(number & 1 ? call.t + call.took : call.t);
        here = new Map();
      }
      here.set(item.lane, item);
      item.last = rows.length - 1;
      if (!started.has(item)) { started.add(item); item.first = item.last; }
    }
    const y = (row) => (row + 0.5) * view.row + 8;
    view.items.forEach((item) => { item.y = y(item.first); item.bottom = y(item.last); item.spans = item.last > item.first; item.labelled = true; });
    view.marks = rows.map((time, row) => ({ y: y(row), text: duration(Math.max(time - rows[0], 0)) })).filter((mark, row, all) => !row || mark.text !== all[row - 1].text);
    view.breaks = [];
    view.height = rows.length * view.row + 20;
  };

  // Each moment at its place; only where long nothing happens, the time is shortened, and that is marked.
  const BREAK = 110;
  const toScale = (view) => {
    const times = [...new Set(view.items.flatMap((item) => (item.call ? [item.t, item.t + item.call.waited, item.end] : [item.t, item.end])))].sort((a, b) => a - b);
    const gaps = times.slice(1).map((time, number) => time - times[number]);
    const tall = (scale) => gaps.reduce((sum, gap) => sum + Math.min(gap * scale, BREAK), 0);
    let low = 1e-12, high = 1;
    const wanted = Math.min(Math.max(view.items.length * 26, 400), 4e5);
    for (let turn = 0; turn < 60; turn += 1) { const middle = Math.sqrt(low * high); if (tall(middle) < wanted) low = middle; else high = middle; }
    const scale = Math.min(low * state.zoom, 20);
    const at = new Map();
    view.breaks = [];
    let y = 28;
    times.forEach((time, number) => {
      if (number) {
        const gap = gaps[number - 1] * scale;
        if (gap > BREAK) view.breaks.push({ y: y + BREAK / 2, text: duration(gaps[number - 1]) });
        y += Math.min(gap, BREAK);
      }
      at.set(time, y);
    });
    view.items.forEach((item) => {
      item.y = at.get(item.t);
      item.bottom = at.get(item.end);
      item.active = item.call ? at.get(item.t + item.call.waited) : item.y;
      item.spans = true;
    });
    view.items.sort((a, b) => a.y - b.y || a.begins - b.begins);
    let used = -Infinity;
    view.marks = [];
    for (const time of times) {
      if (at.get(time) < used + 24) continue;
      used = at.get(time);
      view.marks.push({ y: used, text: duration(time - times[0]) });
    }
    view.scale = scale;
    view.height = y + 40;
  };

  // To scale, a text that would lie on another one is left out, until its call is chosen or there is more room.
  const thin = () => {
    const high = view.row - 3, taken = new Map();
    const take = (item) => {
      const column = view.rails ? 0 : item.lane, part = Math.floor(item.y / high), key = (number) => `${column} ${number}`;
      item.labelled = ![part - 1, part, part + 1].some((number) => Math.abs((taken.get(key(number)) ?? -Infinity) - item.y) < high);
      if (item.labelled) taken.set(key(part), item.y);
    };
    if (view.chosen) take(view.chosen);
    view.items.filter((item) => item !== view.chosen && item.call && isBad(item.call)).forEach(take);
    view.items.filter((item) => item !== view.chosen && !(item.call && isBad(item.call))).forEach(take);
  };

  // --- Drawing ---

  const hatches = () => shape("defs", {}, ...["k0", "k1", "k2", "k3", "k4", "k5", "kn"].map((name) => shape(
    "pattern", { id: `h${name[1]}`, width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    shape("path", { class: `arrow ${name}`, d: "M1 0V4" }),
  )));
  const box = (x, y, across, down, classes) => shape("rect", { class: classes, x: x - across / 2, y, width: across, height: Math.max(down, 1), rx: 1 });

  const bar = (item) => {
    const { line } = view.at.get(item.lane), look = colour(item.connection);
    const { y, bottom } = item, made = [];
    const solid = (top, down) => made.push(box(line, top, 8, down, `solid ${look}`));
    const hatch = (top, down) => made.push(box(line, top, 4, down, `hatch ${look}`));
    if (item.fold && state.mode === "scale") {
      solid(y, 3); solid(bottom - 3, 3); made.push(shape("path", { class: `arrow dots ${look}`, d: `M${line} ${y}V${bottom}` }));
    } else if (item.fold) [-7, -2, 3].forEach((each) => solid(y + each, 3));
    else if (state.mode === "scale") {
      if (item.active > y) hatch(y, item.active - y);
      solid(item.active, Math.max(bottom - item.active, 2));
    } else if (item.call.sign === "unfinished") { solid(y - 6, 5); hatch(y - 1, view.height - y); }
    else if (item.spans) { solid(y - 6, 5); hatch(y - 1, bottom - y - 4); solid(bottom - 5, 11); }
    else if (2 * item.call.waited > item.call.took) { hatch(y - 8, 9); solid(y + 1, 6); }
    else solid(y - 6, 12);
    const sign = item.call ? item.call.sign : "";
    if (sign === "error") {
      made.push(shape("circle", { class: "bad-sign", cx: line, cy: bottom, r: 6.5 }));
      made.push(shape("path", { class: "stroke", d: `M${line - 2.4} ${bottom - 2.4}l4.8 4.8m0 -4.8l-4.8 4.8` }));
    } else if (sign === "unclosed") {
      made.push(shape("path", { class: "warn-sign", d: `M${line} ${bottom - 8}l7 12.5h-14z` }));
      made.push(shape("path", { class: "stroke", d: `M${line} ${bottom - 3.6}v3.4m0 2.6v.1` }));
    }
    return made;
  };

  const sourceY = (item) => item.y;
  const targetY = (item) => (item.fold ? item.y : item.bottom);
  // An arrow from a lane to itself, on the side where no call is written.
  const arc = (at, y1, y2, classes, kind, tip) => {
    const side = at.left ? 1 : -1, x = at.line + 6 * side, out = side * Math.min(18 + Math.abs(y2 - y1) * 0.12, view.rails ? 26 : 42);
    return [shape("path", { class: classes, "data-kind": kind, d: `M${x} ${y1}C${x + out} ${y1} ${x + out} ${y2} ${x + 2 * side} ${y2}` }), tip(x, y2, -side, 0)];
  };

  const arrowOf = (link) => {
    const { source, target } = link;
    let x1 = view.at.get(source.lane).line, x2 = view.at.get(target.lane).line, y1 = sourceY(source), y2 = targetY(target);
    const look = colour(source.connection), dash = { datagram: " dots", connect: " dash", end: " dash" }[link.kind] || "";
    const isChosen = view.chosen && (source === view.chosen || target === view.chosen);
    const tip = (x, y, dx, dy) => shape("path", { class: `solid ${look}`, d: `M${x} ${y}L${x - 8 * dx - 3.6 * dy} ${y - 8 * dy + 3.6 * dx}L${x - 8 * dx + 3.6 * dy} ${y - 8 * dy - 3.6 * dx}z` });
    if (x1 === x2) return arc(view.at.get(source.lane), y1, y2, `arrow${dash} ${look}${isChosen ? " chosen" : ""}`, link.kind, tip);
    const length = Math.hypot(x2 - x1, y2 - y1), dx = (x2 - x1) / length, dy = (y2 - y1) / length;
    x1 += 7 * dx; y1 += 7 * dy; x2 -= 7 * dx; y2 -= 7 * dy;
    const made = [shape("path", { class: `arrow${dash} ${look}${isChosen ? " chosen" : ""}`, "data-kind": link.kind, d: `M${x1} ${y1}L${x2} ${y2}` }), tip(x2, y2, dx, dy)];
    if (link.back) made.push(tip(x1, y1, -dx, -dy));
    if (link.bytes && !view.rails && (state.mode === "order" || isChosen)) {
      const middle = Math.abs(x2 - x1) < 240 ? x1 + (x2 - x1) * (Math.abs(dy) < 0.05 ? 0.5 : 0.6) : x1 + Math.sign(x2 - x1) * 90;
      const text = size(link.bytes) + (link.back ? `, ${size(link.back.bytes)} back` : "");
      made.push(shape("text", { class: "size", x: middle, y: y1 + ((y2 - y1) * (middle - x1)) / (x2 - x1) - 4.5 }, text));
    }
    return made;
  };

  const span = (text, classes) => element("span", { class: classes }, text);
  const outcomeLook = (call) => ({ error: "bad", later: "later", unfinished: "warn", unclosed: "warn" })[call.sign] || "";

  const cut = (text, columns) => (text.length <= columns ? text : `${text.slice(0, Math.max(columns - 1, 1))}…`);
  const callIn = (call, columns) => `${call.call}(${cut(call.arguments, columns - call.call.length - 2)})`;

  // The call, and its outcome, in so many characters: each gets at least half, and what the other leaves.
  const words = (item, columns) => {
    if (item.fold) return [element("i", {}, item.fold.text)];
    const { call } = item, waited = call.waited >= 1e6 && call.sign !== "unfinished" ? element("small", {}, `  ${duration(call.waited)}`) : "";
    const room = columns - (waited ? 8 : 0);
    if (!call.outcome || (item.spans && state.mode === "order")) return [callIn(call, room), waited];
    const text = callIn(call, Math.max(Math.floor((room - 3) / 2), room - 3 - call.outcome.length));
    return [text, " ", span(`→ ${cut(call.outcome, room - 3 - text.length)}`, outcomeLook(call)), waited];
  };

  const spoken = (item) => {
    if (item.fold) return `${laneText(item.lane)}: ${item.fold.text}. Enter unfolds.`;
    const { call } = item, parts = [`${laneText(item.lane)}: ${callText(call)}`];
    if (call.sign === "error") parts.push(`failed: ${call.outcome}`); else if (call.outcome) parts.push(call.outcome);
    if (call.waited >= 1e6) parts.push(`waited ${duration(call.waited)}`);
    return parts.join(", ");
  };

  const classesOf = (at, isChosen) => `call${at.left ? " left" : ""}${view.two ? " two" : ""}${isChosen ? " chosen" : ""}`;

  const label = (item) => {
    const at = view.at.get(item.lane), isChosen = item === view.chosen, height = view.row - 4;
    const before = [];
    if (at.name !== undefined) before.push(place(span(laneText(item.lane), "name"), view.two ? {} : { width: at.name }));
    if (item.connection !== null && data.connections.length > 1) before.push(element("b", { class: colour(item.connection) }, `${letter(item.connection)} `));
    const made = element("div", {
      class: classesOf(at, isChosen), role: "option", id: `item-${item.calls[0]}`, "aria-selected": isChosen ? "true" : "false",
      "aria-label": spoken(item), "aria-posinset": item.position + 1, "aria-setsize": view.items.length,
    }, ...before, ...words(item, Math.floor((at.width - 12 - (view.two ? 0 : at.name || 0)) / 7.25) - (before.length > (at.name === undefined ? 0 : 1) ? 3 : 0)));
    made.item = item;
    const y = state.mode === "scale" ? item.y - (item.call && item.bottom - item.y > 20 ? 4 : height / 2) : item.y - height / 2;
    return place(made, { top: y, height, zIndex: isChosen ? 1 : 0, ...(at.left ? { right: view.width - at.text - at.width, maxWidth: at.width } : { left: at.text, maxWidth: at.width }) });
  };

  // What a call that waited had for a result, where it ended.
  const result = (item) => {
    const at = view.at.get(item.lane), { call } = item, height = view.row - 4;
    const before = at.name !== undefined ? [place(span(view.two ? `${laneText(item.lane)}: ${call.call}` : laneText(item.lane), "name"), view.two ? {} : { width: at.name })] : [];
    const made = element("div", { class: classesOf(at, item === view.chosen), "aria-hidden": "true" }, ...before, span(`→ ${call.outcome}`, outcomeLook(call)));
    made.item = item;
    return place(made, { top: item.bottom - height / 2, height, ...(at.left ? { right: view.width - at.text - at.width, maxWidth: at.width } : { left: at.text, maxWidth: at.width }) });
  };

  let drawn = null;
  const MARGIN = 700;
  const draw = () => {
    const top = scroll.scrollTop, bottom = top + scroll.clientHeight;
    if (drawn && drawn.top <= Math.max(top - 100, 0) && drawn.bottom >= Math.min(bottom + 100, view.height)) return;
    drawn = { top: Math.max(top - MARGIN, 0), bottom: Math.min(bottom + MARGIN, view.height) };
    const seen = (y, bottom = y) => y <= drawn.bottom && bottom >= drawn.top;
    const height = Math.max(drawn.bottom - drawn.top, 1);
    const lines = [], marks = [], labels = [];
    const ended = new Map();
    view.lanes.forEach((lane) => { const x = view.at.get(lane).line; ended.set(x, data.lanes[lane].ended && ended.get(x) !== false); });
    for (const [x, isEnded] of ended) {
      const end = view.height - 8;
      lines.push(shape("path", { class: "life", d: `M${x} ${drawn.top}V${Math.min(drawn.bottom, end - 6)}` }));
      // A record without an end has a lane without one.
      if (seen(end)) lines.push(isEnded ? shape("path", { class: "life", d: `M${x} ${end - 6}v6m-6 0h12` }) : shape("path", { class: "life open", d: `M${x} ${end - 6}v22` }));
    }
    const first = view.at.size ? Math.min(...[...view.at.values()].map((at) => at.line)) : 0;
    const last = view.at.size ? Math.max(...[...view.at.values()].map((at) => at.line)) : 0;
    const links = view.links.filter((link) => seen(Math.min(sourceY(link.source), targetY(link.target)), Math.max(sourceY(link.source), targetY(link.target))));
    const ends = new Map();
    for (const item of view.items) {
      if (!seen(item.y - 10, item.call && item.call.sign === "unfinished" ? view.height : item.bottom + 10)) continue;
      // In a scale where many calls take less than a point, one bar stands for all of them.
      if (state.mode === "order" || item.labelled || item.bottom > (ends.get(item.lane) ?? -Infinity) + 0.7) {
        ends.set(item.lane, item.bottom);
        marks.push(...bar(item));
      }
      if (item.labelled || item === view.chosen) {
        if (seen(item.y - 12, item.y + 12) || item === view.chosen) labels.push(label(item));
        if (state.mode === "order" && item.spans && item.call.outcome && seen(item.bottom)) labels.push(result(item));
      }
    }
    if (view.chosen && !labels.some((made) => made.item === view.chosen)) labels.push(label(view.chosen));
    const breaks = view.breaks.filter((each) => seen(each.y)).flatMap((each) => [
      shape("rect", { class: "break", x: first - 10, y: each.y - 4, width: last - first + 20, height: 8 }),
      shape("path", { class: "life open", d: `M${first - 10} ${each.y - 4}H${last + 10}M${first - 10} ${each.y + 4}H${last + 10}` }),
    ]);
    const picture = shape("svg", { width: view.width, height, viewBox: `0 ${drawn.top} ${view.width} ${height}`, "aria-hidden": "true" }, hatches(), ...lines, ...links.flatMap(arrowOf), ...marks, ...breaks);
    const times = [...view.marks, ...view.breaks.map((each) => ({ ...each, isBreak: true }))].filter((mark) => seen(mark.y))
      .map((mark) => place(element("div", { class: mark.isBreak ? "time left-out" : "time", "aria-hidden": "true" }, mark.text), { top: mark.y - 10, width: view.times }));
    list.replaceChildren(place(picture, { top: drawn.top }), ...times, ...labels);
    if (view.chosen) list.setAttribute("aria-activedescendant", `item-${view.chosen.calls[0]}`); else list.removeAttribute("aria-activedescendant");
  };

  const below = (lane) => {
    const it = data.lanes[lane];
    const more = state.folding && state.alike && state.connection === ALL ? data.merged.filter(([, into]) => into === lane).length : 0;
    return [`process ${it.pid}`, ...(it.thread ? [it.thread] : []), ...(more ? [`and ${more} more like it`] : [])].join(", ");
  };

  const drawHead = () => {
    const made = [], lines = [];
    const stairs = view.rails && view.lanes.length <= 6;
    const height = view.rails ? (stairs ? 14 + 18 * view.lanes.length : 0) : 56;
    view.lanes.forEach((lane, number) => {
      const at = view.at.get(lane);
      if (stairs) {
        const y = 8 + 18 * number;
        lines.push(shape("path", { class: "life", d: `M${at.line} ${height}V${y + 9}H${at.text}` }));
        made.push(place(element("div", { class: "lane" }, element("b", {}, data.lanes[lane].program), span(`  ${below(lane)}`, "quiet")), { left: at.text + 6, top: y, width: at.width }));
      } else if (!view.rails) {
        lines.push(shape("path", { class: "life", d: `M${at.line} 48V${height}` }));
        const style = at.left ? { right: view.width - at.line - 4, textAlign: "right" } : { left: at.line - 4 };
        made.push(place(element("div", { class: "lane" }, element("b", {}, data.lanes[lane].program), element("br"), span(below(lane), "quiet")), { top: 6, maxWidth: at.width, ...style }));
      }
    });
    if (state.mode === "scale" && !view.rails) made.push(...ruler(lines));
    head.replaceChildren(shape("svg", { width: view.width, height }, ...lines), ...made);
    head.style.height = `${height}px`;
    list.style.width = `${view.width}px`;
  };

  // A round time whose length in the picture is easy to see.
  const ruler = (lines) => {
    let time = 1;
    for (let step = 0; time * view.scale < 18; step += 1) time *= step % 3 === 1 ? 2.5 : 2;
    const long = time * view.scale;
    if (long > 50) return [];
    const x = view.times - 4, y = 50 - long;
    lines.push(shape("path", { class: "life", d: `M${x - 4} ${y}h8m-4 0v${long}m-4 0h8` }));
    return [place(element("div", { class: "ruler" }, duration(time)), { right: view.width - x + 9, top: y + long / 2 - 9 })];
  };

  // --- Choosing ---

  const choose = (item, { follow = true } = {}) => {
    if (!item) return;
    state.chosen = item.calls[0];
    view.chosen = item;
    if (state.mode === "scale") thin();
    if (follow) bringIntoSight(item);
    drawn = null;
    draw();
    if (state.details) tell();
  };

  const bringIntoSight = (item) => {
    const above = head.offsetHeight + 24, room = scroll.clientHeight;
    if (item.y < scroll.scrollTop + 24) scroll.scrollTop = Math.max(item.y - above - room / 4, 0);
    else if (item.y > scroll.scrollTop + room - above - 24) scroll.scrollTop = item.y - room / 2;
  };

  const step = (by) => choose(view.chosen ? view.items[Math.min(Math.max(view.chosen.position + by, 0), view.items.length - 1)] : view.items[by > 0 ? 0 : view.items.length - 1]);

  const along = (isForward) => {
    const links = view.chosen ? (isForward ? view.chosen.out : view.chosen.into) : [];
    if (links.length) choose(isForward ? links[0].target : links[0].source);
  };

  const nextError = () => {
    const from = view.chosen ? view.chosen.position : -1;
    const isWrong = (item) => item.call && (isBad(item.call) || item.call.sign === "unclosed");
    choose(view.items.find((item) => item.position > from && isWrong(item)) || view.items.find(isWrong));
  };

  const unfold = (fold) => {
    if (data.alike.includes(fold)) state.alike = false;
    else {
      state.opened.add(fold);
      // The same turns, as the other side made them.
      view.items.filter((item) => item.fold === fold).flatMap((item) => [...item.out.map((link) => link.target), ...item.into.map((link) => link.source)])
        .forEach((item) => { if (item.fold && data.cycles.includes(item.fold)) state.opened.add(item.fold); });
    }
    state.chosen = fold.calls[0];
    show();
    choose(view.chosen);
  };

  const open = () => {
    if (!view.chosen) return;
    if (view.chosen.fold) { unfold(view.chosen.fold); return; }
    state.details = true;
    tell();
  };

  const jump = (number) => {
    // A call that is not shown now is in a fold, or in another connection.
    if (view.owner[number] < 0) { state.connection = ALL; byId("connection").value = ""; state.alike = false; show(); }
    choose(view.items.find((item) => item.calls.includes(number)));
  };

  const close = () => {
    state.details = false;
    details.hidden = true;
    show();
    list.focus({ preventScroll: true });
  };

  // --- Details ---

  const moment = (t) => {
    const whole = BigInt(data.start) + BigInt(t), date = new Date(Number(whole / 1000000n));
    const two = (value) => String(value).padStart(2, "0");
    return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(whole % 1000000000n).padStart(9, "0")}`;
  };
  const bytesOf = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));

  const dump = (bytes) => {
    const made = element("pre", { tabindex: "0", "aria-label": "Data in hexadecimal, and as text" });
    for (let at = 0; at < bytes.length; at += 8) {
      const part = [...bytes.slice(at, at + 8)];
      made.append(span(`${at.toString(16).padStart(4, "0")}  `, "at"), part.map((each) => each.toString(16).padStart(2, "0")).join(" ").padEnd(25),
        part.map((each) => (each >= 32 && each < 127 ? String.fromCharCode(each) : "·")).join(""), "\n");
    }
    return made;
  };

  const facts = (call) => {
    const socket = call.socket === null ? null : data.sockets[call.socket];
    const made = [["Program", [data.lanes[call.lane].path, data.lanes[call.lane].thread].filter(Boolean).join(", ")], ["Caller", call.caller], ["Began", moment(call.t) + (call.t ? `, ${duration(call.t)} after the first call` : "")], ["Took", duration(call.took)]];
    if (call.waited) made.push(["Waited", `${duration(call.waited)} of this`]);
    if (call.sent) made.push(["Sent", size(call.sent)]);
    if (call.received) made.push(["Received", size(call.received)]);
    if (call.peeked) made.push(["Peeked", `${size(call.peeked)}, which stay in the socket`]);
    if (call.eof) made.push(["End", "of the stream"]);
    if (call.rights) made.push(["Rights", many(call.rights, "descriptor")]);
    if (call.address) made.push(["Address", call.address]);
    if (call.tls) made.push(["TLS", "this is the plain text"]);
    if (socket) made.push(["Socket", socket.text], ["Opened", socket.opened], ["Closed", socket.closed]);
    if (call.connection !== null) made.push(["Connection", data.connections[call.connection]]);
    return made.filter(([, text]) => text);
  };

  const ends = (number) => {
    const made = [];
    const add = (title, found, other) => {
      if (found.length) made.push(element("h3", {}, title));
      found.slice(0, 12).forEach((arrow) => {
        const it = calls[other(arrow)], what = arrow.last > arrow.first ? `  bytes ${arrow.first.toLocaleString("en")}–${(arrow.last - 1).toLocaleString("en")}` : "";
        made.push(element("button", { type: "button", onclick: () => jump(other(arrow)) }, `${data.lanes[it.lane].program}: ${callText(it).slice(0, 60)}`, span(what, "quiet")));
      });
      if (found.length > 12) made.push(element("p", {}, `and ${many(found.length - 12, "call")} more`));
    };
    add("Came from", arrows.filter((arrow) => arrow.target === number), (arrow) => arrow.source);
    add("Went to", arrows.filter((arrow) => arrow.source === number), (arrow) => arrow.target);
    return made;
  };

  const tell = () => {
    const item = view.chosen, wasHidden = details.hidden;
    if (!item) return;
    const detail = byId("detail");
    if (item.fold) {
      detail.replaceChildren(element("h2", {}, item.fold.text), element("button", { type: "button", onclick: () => unfold(item.fold) }, "Unfold"));
    } else {
      const number = item.calls[0], call = calls[number], total = Math.max(call.sent, call.received, call.peeked);
      const made = [element("h2", {}, callText(call))];
      const outcome = call.full || call.outcome;
      if (outcome) made.push(element("p", { class: `outcome ${outcomeLook(call)}` }, `→ ${outcome}`));
      made.push(element("dl", {}, ...facts(call).flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)])));
      if (call.data) {
        const bytes = bytesOf(call.data);
        made.push(element("h3", {}, bytes.length < total ? `Data: the first ${size(bytes.length)} of ${size(total)}` : `Data: ${size(bytes.length)}`), dump(bytes));
      }
      made.push(...ends(number));
      const fold = data.cycles.find((each) => state.opened.has(each) && each.calls.includes(number));
      if (fold) made.push(element("h3", {}, "Unfolded"), element("button", { type: "button", onclick: () => { state.opened.delete(fold); show(); choose(view.chosen); } }, `Fold again: ${fold.text}`));
      detail.replaceChildren(...made);
    }
    details.hidden = false;
    details.scrollTop = 0;
    if (wasHidden) { show(); bringIntoSight(view.chosen); draw(); }
  };

  // --- Beginning ---

  const setMode = (mode) => {
    state.mode = mode;
    byId(mode === "order" ? "in-order" : "to-scale").checked = true;
    show();
    if (view.chosen) { bringIntoSight(view.chosen); draw(); }
  };
  const setFolding = (isOn) => {
    state.folding = isOn;
    state.alike = true;
    state.opened.clear();
    byId("fold").checked = isOn;
    show();
    if (view.chosen) { bringIntoSight(view.chosen); draw(); }
  };
  const setZoom = (factor) => {
    if (state.mode !== "scale") return;
    // What is in the middle stays there.
    const middle = scroll.scrollTop + scroll.clientHeight / 2;
    const pivot = view.chosen || view.items.reduce((best, item) => (Math.abs(item.y - middle) < Math.abs(best.y - middle) ? item : best), view.items[0]);
    const offset = pivot ? pivot.y - scroll.scrollTop : 0, first = pivot ? pivot.calls[0] : 0;
    state.zoom = Math.min(Math.max(state.zoom * factor, 1 / 64), 4096);
    show();
    const after = view.items.find((item) => item.calls[0] === first);
    if (after) scroll.scrollTop = after.y - offset;
    draw();
  };

  const keys = {
    ArrowDown: () => step(1), j: () => step(1), ArrowUp: () => step(-1), k: () => step(-1),
    ArrowRight: () => along(true), l: () => along(true), ArrowLeft: () => along(false), h: () => along(false),
    PageDown: () => step(20), PageUp: () => step(-20), Home: () => choose(view.items[0]), End: () => choose(view.items[view.items.length - 1]),
    Enter: open, " ": open, Escape: close,
    s: () => setMode(state.mode === "order" ? "scale" : "order"), f: () => setFolding(!state.folding), e: nextError,
    "+": () => setZoom(2), "=": () => setZoom(2), "-": () => setZoom(0.5),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Escape" ? !state.details : target !== list && target !== document.body) {
      // Controls have keys of their own; letters are theirs only where one can type or choose.
      if (event.key.length > 1 || event.key === " " || target.closest("select, pre")) return;
    }
    event.preventDefault();
    keys[event.key]();
  });
  list.addEventListener("click", (event) => {
    const label = event.target.closest(".call");
    if (!label) return;
    choose(label.item, { follow: false });
    open();
  });
  list.addEventListener("focus", () => { if (!view.chosen && list.matches(":focus-visible")) choose(view.items[0]); });
  let asked = false;
  scroll.addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }, { passive: true });
  document.querySelectorAll("input[name=mode]").forEach((input) => input.addEventListener("change", () => setMode(input.value)));
  byId("fold").addEventListener("change", (event) => setFolding(event.target.checked));
  byId("closer").addEventListener("click", () => setZoom(2));
  byId("farther").addEventListener("click", () => setZoom(0.5));
  byId("close").addEventListener("click", close);
  byId("connection").addEventListener("change", (event) => {
    state.connection = event.target.value === "" ? ALL : Number(event.target.value);
    scroll.scrollTop = 0;
    show();
    if (view.chosen) { bringIntoSight(view.chosen); draw(); }
  });
  let width = scroll.clientWidth;
  new ResizeObserver(() => {
    if (scroll.clientWidth !== width) { width = scroll.clientWidth; show(); } else { drawn = null; draw(); }
  }).observe(scroll);

  const summary = () => {
    const programs = new Set(data.lanes.map((lane) => lane.pid)).size, wrong = calls.filter(isBad).length;
    const last = calls.reduce((most, call) => Math.max(most, call.t + call.took), 0);
    const parts = [many(programs, "program"), many(calls.length, "call"), many(data.connections.length, "connection"), duration(last)];
    byId("summary").append(parts.join(" · "));
    if (wrong) byId("summary").append(" · ", element("button", { type: "button", class: "bad", onclick: nextError, title: "Go to the next one (e)" }, many(wrong, "error")));
    const toFoot = () => byId("foot").scrollIntoView({ block: "end" });
    if (data.unclosed.length) byId("summary").append(" · ", element("button", { type: "button", class: "warn", onclick: toFoot }, `${many(data.unclosed.length, "socket")} never closed`));
  };

  data.connections.forEach((text, number) => {
    byId("connection").append(element("option", { value: number }, data.connections.length > 1 ? `${letter(number)}  ${text}` : text));
  });
  byId("connection").hidden = data.connections.length < 2;
  byId("folding").hidden = !data.cycles.length && !data.alike.length;
  data.unclosed.forEach((text) => byId("foot").append(element("p", { class: "warn" }, text)));
  data.notes.forEach((text) => byId("foot").append(element("p", {}, text)));
  summary();
  show();
})();
