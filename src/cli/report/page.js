"use strict";
// All that is drawn is made of the JSON block; texts go in as text nodes, never as HTML.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const data = JSON.parse($("data").textContent);
  root.classList.add("js");

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    made.append(...children);
    return made;
  };
  const shape = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const size = (bytes) => {
    const units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let i = 0;
    while (bytes >= 999.5 && i < units.length - 1) { bytes /= 1000; ++i; }
    return (i === 0 ? bytes : Number(bytes.toPrecision(3))) + units[i];
  };
  const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  // ---- Colours: automatic, light, dark.
  const themes = ["", "light", "dark"];
  const setTheme = (theme) => {
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    $("theme").textContent = { "": "◐", light: "☀", dark: "☾" }[theme];
    $("theme").setAttribute("aria-label", "Colours: " + (theme || "automatic"));
    $("theme").title = "Colours: " + (theme || "automatic");
  };
  let theme = "";
  try { theme = localStorage.getItem("mica-report-theme") || ""; } catch { /* pages from disk may have no storage */ }
  setTheme(themes.includes(theme) ? theme : "");
  $("theme").onclick = () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
    setTheme(next);
    try { localStorage.setItem("mica-report-theme", next); } catch { /* as above */ }
  };

  // ---- Tables: sorting, exact bytes, the base's layers folded.
  const tables = [...document.querySelectorAll("table.list")];
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v !== undefined ? Number(cell.dataset.v) : cell.textContent.trim().toLowerCase();
  };
  // Long lists show their beginning; sorting, searching and printing bring the rest.
  const kFirst = 12;
  const reveal = (table) => {
    if (!table.allButton) return;
    table.querySelectorAll(".extra").forEach((row) => row.classList.remove("extra"));
    table.allButton.remove();
    table.allButton = null;
  };
  const shorten = (table) => {
    const rows = [...table.tBodies[table.tBodies.length - 1].rows];
    if (table.id === "layers-table" || table.id === "build-table" || rows.length <= kFirst + 3) return;
    rows.slice(kFirst).forEach((row) => row.classList.add("extra"));
    table.allButton = element("button", { type: "button", class: "all" }, `Show all ${rows.length}`);
    table.allButton.onclick = () => reveal(table);
    table.after(table.allButton);
  };
  const sortBy = (table, column, head) => {
    const numeric = head.classList.contains("num");
    const up = head.ariaSort ? head.ariaSort === "descending" : !numeric;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[table.tBodies.length - 1];
    reveal(table);
    const rows = [...body.rows].map((row) => [keyOf(row, column), row]);
    rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1));
    body.append(...rows.map(([, row]) => row));
  };
  for (const table of tables) {
    if (table.tBodies.length) shorten(table);
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if ("plain" in head.dataset) return;
      const button = element("button", { type: "button" }, head.textContent);
      button.onclick = () => sortBy(table, column, head);
      head.replaceChildren(button);
    });
    table.addEventListener("mouseover", (event) => {
      const cell = event.target.closest("td.num");
      if (cell && Number(cell.dataset.v) > 999 && /B$/.test(cell.textContent)) cell.title = Number(cell.dataset.v).toLocaleString("en") + " bytes";
    });
  }
  const base = document.querySelector("#layers-table tbody.base");
  const baseRows = base ? [...base.querySelectorAll(".of-base")] : [];
  const fold = (closed) => {
    for (const row of baseRows) row.classList.toggle("folded", closed);
    const button = base.querySelector(".fold");
    button.setAttribute("aria-expanded", String(!closed));
    button.textContent = closed ? "+" : "−";
  };
  if (base) {
    const button = element("button", { type: "button", class: "fold", "aria-label": "Layers of the base image" });
    button.onclick = () => fold(button.getAttribute("aria-expanded") === "true");
    base.querySelector(".sum td.wide").prepend(button);
    fold(true);
  }

  // ---- The tree.
  const { tree, kinds, owners } = data.report;
  const grow = ([name, bytes, layer, kind, owner, files = 1, children], parent) => {
    const node = { name, bytes, layer, kind, owner, files, parent, rest: name === "" && Boolean(parent), dir: children !== undefined, children: [] };
    if (children) node.children = children.map((child) => grow(child, node));
    return node;
  };
  const live = grow(tree, null);
  const deadNode = () => {
    const top = { name: "dead bytes", bytes: data.waste.bytes, files: data.waste.files, dead: true, dir: true, children: [] };
    top.children = data.rollups.map((one) => ({ name: one.path, bytes: one.bytes, files: one.files, layer: one.added_layer, hidden: one.hidden_by_layer, why: one.kind, dead: true, children: [], parent: top }));
    const cut = data.report.cut.rollups;
    if (cut) top.children.push({ name: "", rest: true, bytes: cut.bytes, files: cut.count, dead: true, children: [], parent: top });
    return top;
  };
  // The root with the dead block beside its folders.
  const all = { ...live, bytes: live.bytes + data.waste.bytes, children: [...live.children] };
  if (data.waste.bytes > 0) {
    const dead = deadNode();
    dead.parent = live;
    all.children.push(dead);
    all.children.sort((a, b) => b.bytes - a.bytes);
  }
  const isTop = (node) => node === live || node === all;
  const pathOf = (node) => {
    if (isTop(node)) return "/";
    if (node.dead) return node.name || "other dead bytes";
    const names = [];
    for (let at = node; at.parent; at = at.parent) names.unshift(at.rest ? "…" : at.name);
    return "/" + names.join("/");
  };
  const layerWords = (index) => {
    const layer = data.layers[index];
    return `layer ${index}` + (layer.line ? `, line ${layer.line}` : layer.inherited ? ", base image" : "");
  };

  // ---- Colours of the map: the largest eight get one, the rest is grey.
  const leaves = [];
  const collect = (node) => { if (node.children.length) node.children.forEach(collect); else leaves.push(node); };
  collect(live);
  const ranks = (key, names, plain) => {
    const sums = new Map();
    for (const leaf of leaves) sums.set(leaf[key], (sums.get(leaf[key]) || 0) + leaf.bytes);
    const order = [...sums].filter(([value, bytes]) => bytes > 0 && !plain(value)).sort((a, b) => b[1] - a[1]).slice(0, 8);
    const colour = new Map(order.map(([value], i) => [value, i + 1]));
    const entries = order.map(([value, bytes], i) => ({ colour: i + 1, text: names(value), bytes }));
    const rest = [...sums].reduce((sum, [value, bytes]) => sum + (colour.has(value) ? 0 : bytes), 0);
    if (rest > 0) entries.push({ colour: 0, bytes: rest });
    return { of: (node) => colour.get(node[key]) || 0, entries };
  };
  const ownLayers = data.layers.some((layer) => !layer.inherited && layer.bytes > 0);
  const schemes = {
    layer: ranks("layer", (i) => `${i} ${data.layers[i].instruction || data.layers[i].created_by}`, (i) => ownLayers && data.layers[i].inherited),
    kind: ranks("kind", (i) => kinds[i], (i) => kinds[i] === "other"),
    owner: ranks("owner", (i) => owners[i], (i) => owners[i] === ""),
  };
  const restWords = { layer: ownLayers ? "base image and smaller layers" : "smaller layers", kind: "other", owner: "no package, or a smaller one" };
  if (owners.length < 2) $("by-owner").hidden = true;
  let mode = "layer", lit = null, query = "", here = live, selected = null, cells = [], groups = [];
  let matches = null;   // a set of nodes that match the search, with all above and below

  // ---- The map: a squarified treemap of nested folders.
  const map = $("map");
  const squarify = (children, x, y, w, h, place) => {
    const sum = children.reduce((total, child) => total + child.bytes, 0);
    if (!(sum > 0)) return;
    const scale = (w * h) / sum;
    let from = 0;
    while (from < children.length && w > 0.5 && h > 0.5) {
      const side = Math.min(w, h);
      let to = from, area = 0, worst = Infinity, largest = 0, smallest = Infinity;
      for (; to < children.length; ++to) {
        const next = children[to].bytes * scale;
        const total = area + next, big = Math.max(largest, next), small = Math.min(smallest, next);
        const ratio = small > 0 ? Math.max((side * side * big) / (total * total), (total * total) / (side * side * small)) : Infinity;
        if (to > from && ratio > worst) break;
        area = total; largest = big; smallest = small; worst = ratio;
      }
      const thick = area / side;
      let along = 0;
      for (let i = from; i < to; ++i) {
        const length = thick > 0 ? (children[i].bytes * scale) / thick : 0;
        if (w >= h) place(children[i], x, y + along, thick, length);
        else place(children[i], x + along, y, length, thick);
        along += length;
      }
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
      from = to;
    }
  };
  const label = (node, w, begin) => {
    const before = pathOf(begin).length - begin.name.length;
    const text = begin !== node ? pathOf(node).slice(before) + "/" : node.rest ? (w > 90 ? `${node.files} smaller` : "…") : node.dead && node.parent && node.parent.dead ? node.name : node.name + (node.dir && !node.dead ? "/" : "");
    const room = Math.floor((w - 7) / (node.children.length ? 6.9 : 6.3));
    return room < 2 ? "" : text.length <= room ? text : text.slice(0, room - 1) + "…";
  };
  // A folder whose only part is a folder is told with it: "usr/share".
  const endOfChain = (node) => { while (!node.dead && node.children.length === 1 && node.children[0].children.length) node = node.children[0]; return node; };
  const isDim = (node, leaf) => (lit !== null && leaf && (node.dead || schemes[mode].of(node) !== lit)) || (matches !== null && leaf && !matches.has(node));
  const drawNode = (into, begin, x, y, w, h) => {
    if (w < 2 || h < 2) return;
    const node = endOfChain(begin);
    const index = cells.push({ node, x, y, w, h }) - 1;
    const opens = node.children.length > 0 && w > 36 && h > 28;
    const kind = node.dead ? "dead" : opens ? "folder" : "cell c" + schemes[mode].of(node) + (node.rest ? " rest" : "");
    const group = shape("g", { "data-i": index, class: isDim(node, !opens) ? "dim" : "" });
    into.append(group);
    group.append(shape("rect", { class: kind, x, y, width: w, height: h }));
    const strip = opens && h > 40 && w > 44 ? 16 : 2;
    if (opens) squarify(node.children, x + 2, y + strip, w - 4, h - strip - 2, (child, cx, cy, cw, ch) => drawNode(group, child, cx, cy, cw, ch));
    if ((opens && strip > 2) || (!opens && w > 30 && h > 15)) {
      const words = label(node, w, begin);
      const style = (opens ? "strong" : "") + (node.dead ? " plate" : "");
      if (words) group.append(shape("text", { x: x + 4, y: y + 12, class: style }, words));
      if (!opens && h > 32 && w > 46) group.append(shape("text", { x: x + 4, y: y + 26, class: style }, size(node.bytes)));
    }
    return group;
  };
  const describe = (node) => {
    const share = here.bytes > 0 ? ((100 * node.bytes) / here.bytes).toFixed(1) : "0";
    const parts = [node.rest ? `${node.files} smaller files in ${pathOf(node.parent)}` : pathOf(node), size(node.bytes)];
    if (!isTop(node)) parts.push(`${share} % of ${isTop(here) ? "all" : here.dead ? here.name : pathOf(here)}`);
    if ((node.dir || node.dead) && !node.rest) parts.push(many(node.files, "file"));
    if (node.dead && node.why) parts.push(`added in ${layerWords(node.layer)}, ${node.why} in ${layerWords(node.hidden)}`);
    else if (!node.dead && !isTop(node)) {
      const most = node.dir || node.rest ? "mostly " : "";
      parts.push(most + layerWords(node.layer), most + kinds[node.kind]);
      if (owners[node.owner]) parts.push(most + owners[node.owner]);
    }
    return parts.join(" · ");
  };
  const ring = (cell, focused) => {
    map.querySelectorAll(".ring").forEach((old) => old.remove());
    if (cell) map.append(shape("rect", { class: "ring" + (focused ? " focus" : ""), x: cell.x + 1, y: cell.y + 1, width: Math.max(1, cell.w - 2), height: Math.max(1, cell.h - 2) }));
  };
  const shown = () => (isTop(here) ? ($("dead").checked ? all : live) : here);
  const draw = () => {
    here = shown();
    const w = map.clientWidth, h = map.clientHeight;
    map.setAttribute("viewBox", `0 0 ${w} ${h}`);
    cells = [];
    groups = [];
    map.replaceChildren();
    const parts = here.children.length ? here.children : [here];
    squarify(parts, 0, 0, w, h, (child, x, y, cw, ch) => {
      const index = cells.length;
      const group = drawNode(map, child, x, y, cw, ch);
      if (!group) return;
      group.setAttribute("role", "button");
      group.setAttribute("tabindex", groups.length === 0 ? "0" : "-1");
      group.setAttribute("aria-label", describe(cells[index].node));
      groups.push({ group, cell: cells[index] });
    });
    const line = [];
    for (let at = here; at; at = at.parent) line.unshift(at);
    $("crumbs").replaceChildren(...line.map((node) => {
      const button = element("button", { type: "button" }, isTop(node) ? "/" : node.name);
      if (node === here) button.setAttribute("aria-current", "true");
      button.onclick = () => open(node);
      return element("li", {}, button);
    }));
    $("map-info").textContent = describe(selected || here);
    const picked = cells.find(({ node }) => node === selected);
    if (picked) ring(picked, true);
    $("legend").replaceChildren(...[...schemes[mode].entries, ...(isTop(here) && $("dead").checked && data.waste.bytes > 0 ? [{ dead: true, bytes: data.waste.bytes }] : [])].map((entry) => {
      const swatch = shape("svg", { width: 14, height: 14, "aria-hidden": "true" });
      swatch.append(shape("rect", { class: "c" + entry.colour, width: 14, height: 14, rx: 2, ...(entry.dead ? { fill: "url(#hatch)" } : {}) }));
      const words = entry.dead ? "dead bytes" : entry.text || restWords[mode];
      const button = element("button", { type: "button", title: words }, swatch, element("span", {}, words), element("em", {}, size(entry.bytes)));
      if (!entry.dead) {
        button.setAttribute("aria-pressed", String(lit === entry.colour));
        button.onclick = () => { lit = lit === entry.colour ? null : entry.colour; draw(); $("legend").querySelectorAll("button")[entry.at].focus(); };
      }
      return element("li", {}, button);
    }));
    schemes[mode].entries.forEach((entry, i) => { entry.at = i; });
  };
  const linkOf = (node) => "#path=" + encodeURIComponent(pathOf(node)).replaceAll("%2F", "/");
  const isIn = (node, folder) => { for (let at = node; at; at = at.parent) if (at === folder) return true; return false; };
  const focusOn = (target) => {
    const found = groups.find(({ cell }) => isIn(target, cell.node)) || groups[0];
    if (!found) return;
    for (const { group } of groups) group.setAttribute("tabindex", group === found.group ? "0" : "-1");
    found.group.focus({ preventScroll: true });
  };
  // Shows a folder; the address follows, so that it can be sent to somebody.
  const open = (node, keyboard) => {
    const came = here;
    here = node;
    selected = null;
    draw();
    if (!node.dead) history.replaceState(null, "", isTop(node) ? location.pathname + location.search : linkOf(node));
    if (keyboard) focusOn(came);
  };
  const up = () => {
    let to = here.parent;
    while (to && to.parent && to.children.length === 1) to = to.parent;
    if (to) open(isTop(to) ? live : to, true);
  };
  const cellAt = (target) => { const group = target.closest && target.closest("g[data-i]"); return group ? cells[group.dataset.i] : null; };
  map.addEventListener("click", (event) => {
    const cell = cellAt(event.target);
    if (!cell) return;
    let target = cell.node;
    while (target && !target.children.length) target = target.parent;
    if (target && target !== here && !(isTop(target) && isTop(here))) open(target);
    selected = cell.node.children.length ? null : cell.node;
    draw();
    if (!cell.node.dead && !cell.node.rest) history.replaceState(null, "", linkOf(cell.node));
  });
  map.addEventListener("mousemove", (event) => {
    const cell = cellAt(event.target);
    if (!cell) return;
    $("map-info").textContent = describe(cell.node);
    ring(cell, false);
  });
  map.addEventListener("mouseleave", () => {
    ring(cells.find(({ node }) => node === selected), true);
    $("map-info").textContent = describe(selected || here);
  });
  // Not on the map itself: an SVG that listens for focus gets it.
  $("map-box").addEventListener("focusin", (event) => {
    const cell = cellAt(event.target);
    if (!cell) return;
    ring(cell, true);
    $("map-info").textContent = describe(cell.node);
  });
  $("map-box").addEventListener("focusout", (event) => { if (cellAt(event.target)) ring(null); });
  // The nearest cell whose middle lies in the direction, with what is beside it counted double.
  const neighbour = (from, dx, dy) => {
    let best = null, least = Infinity;
    const fx = from.x + from.w / 2, fy = from.y + from.h / 2;
    for (const entry of groups) {
      const { cell } = entry;
      if (cell === from) continue;
      const x = Math.max(cell.x, Math.min(fx, cell.x + cell.w)) - fx, y = Math.max(cell.y, Math.min(fy, cell.y + cell.h)) - fy;
      const beyond = dx ? (dx > 0 ? cell.x + 0.5 >= from.x + from.w : cell.x + cell.w <= from.x + 0.5) : dy > 0 ? cell.y + 0.5 >= from.y + from.h : cell.y + cell.h <= from.y + 0.5;
      if (!beyond) continue;
      const distance = dx ? Math.abs(x) + 2 * Math.abs(y) : Math.abs(y) + 2 * Math.abs(x);
      if (distance < least) { least = distance; best = entry; }
    }
    return best;
  };
  map.addEventListener("keydown", (event) => {
    const at = groups.find(({ group }) => group === event.target);
    if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in arrows) {
      const next = neighbour(at.cell, ...arrows[event.key]);
      if (next) focusOn(next.cell.node);
    } else if (event.key === "Home") focusOn(groups[0].cell.node);
    else if (event.key === "End") focusOn(groups[groups.length - 1].cell.node);
    else if (event.key === "Enter" || event.key === " ") {
      if (at.cell.node.children.length) open(at.cell.node, true);
      else if (!at.cell.node.dead && !at.cell.node.rest) history.replaceState(null, "", linkOf(at.cell.node));
    } else if (event.key === "Escape" || event.key === "Backspace") up();
    else return;
    event.preventDefault();
  });
  for (const radio of document.querySelectorAll("input[name=colour]")) radio.onchange = () => { mode = radio.value; lit = null; draw(); };
  $("dead").onchange = () => { if (here.dead) here = live; draw(); };
  $("dead").closest("label").hidden = data.waste.bytes === 0;
  $("map-box").hidden = false;

  // ---- Search: rows of tables and lines that do not match go, the map dims, the largest matches are listed.
  const found = $("found");
  let foldAgain = false;
  const withNeighbours = (hits) => {
    const set = new Set();
    const below = (node) => { set.add(node); node.children.forEach(below); };
    for (const hit of hits) { below(hit); for (let at = hit.parent; at; at = at.parent) set.add(at); }
    return set;
  };
  const look = () => {
    if (query) tables.forEach(reveal);
    const rowsShown = (row) => !query || row.textContent.toLowerCase().includes(query);
    let rows = 0;
    for (const table of tables)
      for (const body of table.tBodies)
        for (const row of body.rows) {
          const is = rowsShown(row);
          row.classList.toggle("nomatch", !is);
          if (is && query) ++rows;
        }
    if (!query) {
      matches = null;
      found.replaceChildren();
      if (base && foldAgain) fold(true);
      foldAgain = false;
      draw();
      return;
    }
    if (base && baseRows.some((row) => row.classList.contains("folded"))) { foldAgain = true; fold(false); }
    const hits = [];
    const walk = (node) => { if (!node.rest && node.parent && pathOf(node).toLowerCase().includes(query)) hits.push(node); else node.children.forEach(walk); };
    walk(live);
    hits.sort((a, b) => b.bytes - a.bytes);
    matches = withNeighbours(hits);
    draw();
    const list = element("ul", {}, ...hits.slice(0, 12).map((node) => element("li", {}, element("span", {}, size(node.bytes)), element("a", { href: linkOf(node) }, element("code", {}, pathOf(node) + (node.dir ? "/" : ""))))));
    found.replaceChildren(`${many(rows, "row")} of the tables and ${many(hits.length, "place")} of the file system match.`, ...(hits.length ? [list] : []));
  };
  $("search").addEventListener("input", () => { query = $("search").value.trim().toLowerCase(); look(); });
  $("search").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    $("search").value = query = "";
    look();
    $("search").blur();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    event.preventDefault();
    $("search").focus();
    $("search").select();
  });

  // ---- Addresses: #path=/usr/lib opens the map there, #layer-0 the base's layers.
  const follow = () => {
    const hash = location.hash;
    if (hash.startsWith("#path=")) {
      let path = "";
      try { path = decodeURIComponent(hash.slice(6)); } catch { return; }
      let node = live;
      for (const name of path.split("/").filter(Boolean)) {
        const next = node.children.find((child) => !child.rest && child.name === name);
        if (!next) break;
        node = next;
      }
      here = node.children.length ? node : node.parent || live;
      selected = node.children.length ? null : node;
      draw();
      $("map-section").scrollIntoView();
      return;
    }
    const target = hash.length > 1 && document.getElementById(hash.slice(1));
    if (!target) return;
    if (target.classList.contains("of-base")) fold(false);
    if (target.closest("table")) reveal(target.closest("table"));
    if (target.classList.contains("nomatch")) { $("search").value = query = ""; look(); }
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", follow);
  let width = 0;
  new ResizeObserver(() => { if (map.clientWidth !== width) { width = map.clientWidth; draw(); } }).observe(map);
  draw();
  follow();
  window.addEventListener("beforeprint", () => { document.querySelectorAll("details").forEach((one) => { one.open = true; }); tables.forEach(reveal); if (base) fold(false); });
})();
