// The page is static but for this: it shows the facts of the session. Text of foreign origin is only ever set as
// text, never as markup.
const packed = Uint8Array.from(atob(document.getElementById("facts").textContent), (byte) => byte.charCodeAt(0));
const facts = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
const $ = (id) => document.getElementById(id);
const STATES = { arrived: "good", failed: "bad", missing: "bad", "in flight": "open", "none came": "none" };
const OUTCOMES = { passed: "good", failed: "bad", error: "bad", skipped: "none", xfailed: "none", interrupted: "open" };
const ALL = "\u0000all";

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name === "class") made.className = value;
    else if (name === "style") Object.assign(made.style, value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Control and direction characters would change what stands beside them, so they are shown as a sign.
const clean = (text) => String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

function span(seconds) {
  if (seconds === null || seconds === undefined) return "not known";
  if (seconds < 0.0005) return "0 ms";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}
const clock = (at) => (at === null ? "not known" : new Date(at * 1000).toISOString().slice(11, 23));
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const state = (name, kinds) => el("span", { class: `state ${kinds[name] || "open"}` }, name);
const tail = (id) => id.slice(id.lastIndexOf("::") + 2) || id;
// Names may break behind these signs.
const breakable = (text) => clean(text).split(/(?<=[_/.:\-])(?=[A-Za-z])/).flatMap((part, number) => (number ? [el("wbr"), part] : [part]));
const shortId = (id) => id.slice(id.indexOf("/") + 1);

const eventsOf = new Map();
for (const event of facts.events) {
  if (!eventsOf.has(event.test)) eventsOf.set(event.test, []);
  eventsOf.get(event.test).push(event);
}

// A list of which one option is chosen: arrow keys, Home and End move, as in any list box.
function listBox(box, items, render, choose, label) {
  box.replaceChildren();
  box.classList.toggle("many", items.length > 150);
  box.setAttribute("role", items.length ? "listbox" : "group");
  box.setAttribute("aria-label", label);
  const options = items.map((item, number) => {
    const option = el("div", { class: "option", role: "option", tabindex: "-1", "aria-selected": "false" }, ...render(item));
    option.addEventListener("click", () => select(number));
    box.append(option);
    return option;
  });
  let chosen = -1;
  function select(number, focus = true) {
    if (number < 0 || number >= options.length) return;
    if (chosen >= 0) {
      options[chosen].setAttribute("aria-selected", "false");
      options[chosen].tabIndex = -1;
    }
    chosen = number;
    options[number].setAttribute("aria-selected", "true");
    options[number].tabIndex = 0;
    if (focus) options[number].focus({ preventScroll: true });
    const at = options[number].offsetTop - box.offsetTop;
    if (at < box.scrollTop || at + options[number].offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = at - 8;
    choose(items[number]);
  }
  box.onkeydown = (key) => {
    const moves = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0, End: options.length - 1, PageDown: Math.min(chosen + 10, options.length - 1), PageUp: Math.max(chosen - 10, 0) };
    if (!(key.key in moves)) return;
    key.preventDefault();
    select(moves[key.key]);
  };
  if (options.length) options[0].tabIndex = 0;
  return { select };
}

// --- times of an event, relative to its send -------------------------------------------------------------------
function steps(event) {
  const rows = [];
  if (event.sent_at !== null) rows.push({ name: "sent", kind: "mark", at: event.sent_at, note: `to ${event.sent_to}` });
  for (const component of event.components) {
    if (component.attempts.length) {
      component.attempts.forEach((one, number) => rows.push({
        name: component.attempts.length > 1 ? `${component.name}, attempt ${number + 1}` : component.name,
        kind: one.error ? "error" : "bar", start: one.start, end: one.end, error: one.error,
      }));
    } else if (component.at !== null && component.at !== event.sent_at) {
      rows.push({ name: component.name, kind: "mark", at: component.at });
    } else if (component.at === null) rows.push({ name: component.name, kind: "open" });
  }
  event.results.forEach((result) => {
    const which = event.results.length > 1 || facts.sources.length > 1 ? ` (${result.source})` : "";
    rows.push({ name: `output${which}`, kind: result.event_time === null ? "open" : "mark", at: result.event_time });
    if (result.listener) rows.push({ name: `event_listener${which}`, kind: "listener", start: result.listener.start, end: result.listener.end });
    rows.push({ name: `received${which}`, kind: "mark", at: result.received_at, note: result.deliveries > 1 ? `${result.deliveries} deliveries` : "" });
    if (result.deliveries > 1) rows.push({ name: `last delivery${which}`, kind: "mark", at: result.last_received_at });
    rows.push({ name: `seen by the test${which}`, kind: result.seen_at === null ? "open" : "mark", at: result.seen_at });
  });
  event.failures.forEach((failure) => rows.push({ name: `failure of ${failure.component}`, kind: failure.at === null ? "open" : "mark", at: failure.at, failed: true }));
  return rows;
}

function extent(rows) {
  const times = rows.flatMap((row) => [row.at, row.start, row.end]).filter((time) => typeof time === "number");
  return times.length ? [Math.min(...times), Math.max(...times)] : [0, 1];
}

function segment(row, from, length) {
  const place = (time) => `${Math.max(0, Math.min(100, ((time - from) / length) * 100))}%`;
  if (row.kind === "mark") return el("i", { class: "seg mark", style: { left: place(row.at), background: row.failed ? "var(--bar-error)" : "" } });
  if (row.start === null && row.end === null) return null;
  const start = row.start ?? row.end;
  const running = row.end === null;
  const width = running ? 100 : ((row.end - start) / length) * 100;
  return el("i", { class: `seg ${row.kind} ${running ? "running" : ""}`, style: { left: place(start), width: `min(${width}%, calc(100% - ${place(start)}))` } });
}

function told(row, zero) {
  if (row.kind === "open") return "no record tells when";
  const after = (time) => (zero === null ? clock(time) : `+${span(Math.max(0, time - zero))}`);
  if (row.kind === "mark") return [after(row.at), row.note].filter(Boolean).join(", ");
  if (row.start === null) return row.end === null ? "times not known" : `ended ${after(row.end)}`;
  return `${after(row.start)}, ${row.end === null ? "has not ended" : span(row.end - row.start)}${row.error ? ", error" : ""}`;
}

function nice(length) {
  const raw = length / 4, power = 10 ** Math.floor(Math.log10(raw || 1));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= raw) || power;
}

function waterfall(event) {
  const rows = steps(event);
  const [from, to] = extent(rows);
  const length = Math.max(to - from, 0.001) * 1.02;
  const ticks = [];
  for (let at = 0; at <= length; at += nice(length)) ticks.push(el("span", { class: "tick", style: { left: `${(at / length) * 100}%` } }, span(at)));
  if (ticks.length > 1 && (nice(length) * (ticks.length - 1)) / length < 0.86) ticks.push(el("span"));
  const axis = el("li", { class: "axis", "aria-hidden": "true" }, el("span", { class: "name" }), el("div", { class: "track" }, ...ticks), el("span", { class: "times" }));
  return el("ol", { class: "way", "aria-label": "The way of this event" }, axis, ...rows.map((row) =>
    el("li", { class: row.kind === "open" ? "open" : null },
      el("span", { class: "name" }, clean(row.name)),
      el("div", { class: "track", "aria-hidden": "true" }, row.kind === "open" ? null : segment(row, from, length)),
      el("span", { class: "times" }, told(row, event.sent_at)))));
}

// --- the explorer ---------------------------------------------------------------------------------------------
let eventList = null;

function showEvents(test) {
  const wanted = $("event-state").value;
  const events = (test.id === ALL ? facts.events : eventsOf.get(test.id) || []).filter((event) => !wanted || event.state === wanted);
  const longest = Math.max(0.001, ...events.map((event) => { const [from, to] = extent(steps(event)); return to - from; }));
  $("events-title").replaceChildren(...(test.id === ALL ? ["All events"] : ["Events of ", ...breakable(tail(test.id))]));
  const known = test.id === ALL ? facts.latency.events : test.latency;
  $("events-note").textContent = known
    ? `${count(events.length, "event")}; latency p50 ${span(known.p50)}, p95 ${span(known.p95)}${test.sla ? `; SLA ${span(test.sla)}` : ""}`
    : count(events.length, "event");
  eventList = listBox($("event-list"), events, (event) => {
    const [from] = extent(steps(event));
    return [
      el("div", { class: "row" }, state(event.state, STATES), el("span", { class: "num" },
        (event.duplicates ? `${count(event.duplicates, "duplicate")}, ` : "") + (event.latency === null ? "no result" : span(event.latency)))),
      el("div", { class: "name id mono" }, clean(shortId(event.id))),
      el("div", { class: "strip", "aria-hidden": "true" }, ...steps(event).filter((row) => row.kind !== "open").map((row) => segment(row, from, longest * 1.01))),
    ];
  }, showEvent, "Events");
  if (events.length) eventList.select(Math.max(0, events.findIndex((event) => event.state !== "arrived")), false);
  else {
    $("event-list").append(el("p", { class: "empty" }, test.id === ALL ? "No event." : "This test sent no event that is on record."));
    $("detail").replaceChildren(test.error ? el("pre", { tabindex: "0" }, clean(test.error)) : el("p", { class: "empty" }, "Pick a test with events."));
  }
}

function showEvent(event) {
  const waits = event.waits.map((number) => facts.waits[number]);
  const explanation = waits.map((wait) => wait.explanation || wait.error).find(Boolean);
  const meta = [["test", event.test || "not known"], ["sent to", event.place || event.sent_to || "not known"],
    ["sent at", `${clock(event.sent_at)} UTC`], ["size", event.bytes === null ? "not known" : count(event.bytes, "byte")]];
  const waited = waits.map((wait) => `${wait.method}: ${wait.outcome} after ${span(wait.ended - wait.began)} (SLA ${span(wait.sla)})`);
  if (waited.length) meta.push(["awaited by", waited.join("; ")]);
  const tabs = [
    ["Explanation", () => el("pre", { tabindex: "0" }, clean(explanation || (event.state === "arrived" ? "The event arrived; no wait has asked for an explanation." : "No wait has asked for an explanation.")))],
    [`Records (${event.results.length + event.failures.length})`, () => records(event)],
    [`Log (${event.log.length})`, () => logLines(event)],
  ];
  $("detail").replaceChildren(el("div", { class: "body" },
    el("div", {}, state(event.state, STATES), el("h3", { class: "id mono" }, clean(event.id))),
    el("dl", { class: "meta" }, ...meta.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, ...breakable(value))])),
    waterfall(event), tabbed(tabs, event.state === "arrived" ? 1 : 0)));
  $("detail").scrollTop = 0;
}

function tabbed(tabs, first) {
  const panel = el("div", { role: "tabpanel", id: "tab-panel" });
  const buttons = tabs.map(([name], number) => el("button", { role: "tab", type: "button", id: `tab-${number}`, "aria-controls": "tab-panel", onclick: () => choose(number) }, name));
  function choose(number) {
    buttons.forEach((button, other) => { button.setAttribute("aria-selected", String(other === number)); button.tabIndex = other === number ? 0 : -1; });
    panel.setAttribute("aria-labelledby", `tab-${number}`);
    panel.replaceChildren(tabs[number][1]());
  }
  const list = el("div", { class: "tabs", role: "tablist", "aria-label": "About this event", onkeydown: (key) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    choose(next); buttons[next].focus();
  } }, ...buttons);
  choose(first);
  return el("div", { style: { display: "grid", gap: ".7rem" } }, list, panel);
}

function records(event) {
  if (!event.results.length && !event.failures.length && event.body === undefined) return el("p", { class: "empty" }, "No result and no failure message is on record.");
  const shown = { ...(event.body === undefined ? {} : { input: event.body }), results: event.results, failures: event.failures };
  return el("pre", { tabindex: "0" }, clean(JSON.stringify(shown, null, 2)));
}

function logLines(event) {
  if (!event.log.length) return el("p", { class: "empty" }, "No log line names this event, or its lines were left out to keep the page small.");
  return el("ul", { class: "log" }, ...event.log.map(([at, who, text, isError]) =>
    el("li", { class: isError ? "error" : null }, el("time", {}, clock(at)), el("span", { class: "who" }, clean(who)),
      el("span", { class: "text" }, (isError ? "error: " : "") + clean(text)))));
}

let testList = null;
let shownTests = [];
function showTests(choose) {
  const text = $("test-filter").value.toLowerCase(), outcome = $("test-outcome").value;
  const order = { failed: 0, error: 0, passed: 1 };
  const found = facts.tests.filter((test) => (!outcome || test.outcome === outcome) && test.id.toLowerCase().includes(text))
    .map((test, number) => [order[test.outcome] ?? 2, number, test]).sort((one, two) => one[0] - two[0] || one[1] - two[1]).map((one) => one[2]);
  const all = { id: ALL, outcome: "", error: "" };
  shownTests = text || outcome ? found : [all, ...found];
  testList = listBox($("test-list"), shownTests, (test) => (test.id === ALL
    ? [el("div", { class: "name" }, "All events"), el("div", { class: "row" }, el("span", { class: "num" }, `${count(facts.events.length, "event")}, ${count(facts.tests.length, "test")}`))]
    : [el("div", { class: "name" }, ...breakable(tail(test.id))),
      el("div", { class: "row" }, state(test.outcome, OUTCOMES), el("span", { class: "num" }, `${count(test.events, "event")}, ${span(test.duration)}`))]), showEvents, "Tests");
  const first = shownTests.findIndex((test) => test.id !== ALL && ["failed", "error"].includes(test.outcome) && test.events);
  if (shownTests.length) testList.select(choose ?? Math.max(0, first), false);
  else $("test-list").append(el("p", { class: "empty" }, "No test matches."));
}

function openTest(id) {
  $("test-filter").value = ""; $("test-outcome").value = ""; $("event-state").value = "";
  showTests(0);
  testList.select(shownTests.findIndex((test) => test.id === id));
  $("explore").scrollIntoView();
}

// --- charts ---------------------------------------------------------------------------------------------------
const style = { background: "transparent", fontSize: "12px", fontFamily: "inherit" };
const frame = { style, marginBottom: 46, marginTop: 26 };
const below = { labelOffset: 40, labelAnchor: "right" };
const width = (id) => Math.max(260, Math.min(1500, $(id).clientWidth));
const css = (name) => `var(${name})`;

function picked(id) {
  const value = $(id).value, number = Number(value.slice(1));
  return { test: value[0] === "t" ? facts.tests[number] : null, component: value[0] === "c" ? facts.latency.components[number].name : null };
}

function invocations(name) {
  const ran = facts.events.flatMap((event) => (name === "event_listener" ? event.results.map((result) => result.listener) : event.components.filter((one) => one.name === name).flatMap((one) => one.attempts)));
  return ran.filter((one) => one && one.start !== null && one.end !== null).map((one) => ({ latency: Math.max(0, one.end - one.start) }));
}

function trendNote(rows) {
  const p95 = rows.filter((row) => row.name === "p95").map((row) => row.value);
  if (!p95.length) return "No session of the history has such a latency.";
  if (p95.length === 1) return `p95 ${span(p95[0])}, in one session.`;
  const before = p95.slice(0, -1).sort((one, two) => one - two);
  return `p95 ${span(p95.at(-1))} in the newest session; ${span(before[Math.floor((before.length - 1) / 2)])} is the median of the ${count(before.length, "session")} before.`;
}

function draw() {
  const timed = facts.events.filter((event) => event.latency !== null);
  if (timed.length) {
    const chosen = picked("latency-test");
    const mine = chosen.component ? invocations(chosen.component) : timed.filter((event) => !chosen.test || event.test === chosen.test.id);
    const sla = chosen.component ? 0 : chosen.test ? chosen.test.sla : facts.session.sla;
    const longest = Math.max(0, ...mine.map((event) => event.latency));
    const marks = [
      Plot.rectY(mine, Plot.binX({ y: "count" }, { x: "latency", fill: css("--bar"), thresholds: 30, inset: 0.5 })),
      Plot.ruleY([0], { stroke: css("--muted") }),
    ];
    if (sla && longest > sla / 3) marks.push(Plot.ruleX([sla], { stroke: css("--bad"), strokeWidth: 2, strokeDasharray: "5 3" }), Plot.text([sla], { x: (d) => d, text: () => "SLA", dy: -6, frameAnchor: "top", fill: css("--bad"), fontWeight: 600 }));
    $("histogram").replaceChildren(Plot.plot({ ...frame, width: width("histogram"), height: 260, x: { ...below, label: chosen.component ? "seconds of an invocation" : "seconds from send to result", nice: true }, y: { label: chosen.component ? "invocations" : "events", grid: true, tickFormat: (number) => (Number.isInteger(number) ? String(number) : ""), ticks: Math.min(5, mine.length) }, marks }));
    const symbols = { domain: Object.keys(STATES), range: ["circle", "times", "triangle", "square", "plus"] };
    $("arrivals-chart").replaceChildren(Plot.plot({ ...frame, width: width("arrivals-chart"), height: 260, symbol: symbols, x: { ...below, label: "seconds since the first send" }, y: { label: "latency in seconds", grid: true, zero: true },
      marks: [Plot.ruleY([0], { stroke: css("--muted") }), Plot.dot(timed, { x: (event) => event.sent_at - timed[0].sent_at, y: "latency", symbol: "state", stroke: (event) => (event.state === "arrived" ? css("--bar") : css("--bad")), r: 3.5 })] }));
  }
  if (facts.history.length > 1 && $("trend")) {
    const chosen = picked("trend-of");
    const of = (one) => chosen.component ? (one.of_components || {})[chosen.component] : chosen.test ? (one.of_tests || {})[chosen.test.id] : [one.p50, one.p95];
    const rows = facts.history.flatMap((one, number) => ["p50", "p95"].map((name, place) => ({ number: number + 1, name, value: (of(one) || [])[place] })).filter((row) => typeof row.value === "number"));
    $("trend-note").textContent = trendNote(rows);
    const last = ["p50", "p95"].map((name) => rows.filter((row) => row.name === name).at(-1)).filter(Boolean);
    $("trend").replaceChildren(Plot.plot({ ...frame, width: width("trend"), height: 250, marginRight: 40, x: { ...below, label: "session", tickFormat: "d", ticks: Math.min(10, facts.history.length) }, y: { label: "latency in seconds", grid: true, zero: true },
      marks: [Plot.ruleY([0], { stroke: css("--muted") }), Plot.lineY(rows, { x: "number", y: "value", z: "name", stroke: (row) => (row.name === "p95" ? css("--bar-listener") : css("--bar")), strokeDasharray: null, strokeWidth: 2 }),
        Plot.dot(rows, { x: "number", y: "value", symbol: "name", fill: (row) => (row.name === "p95" ? css("--bar-listener") : css("--bar")) }), Plot.text(last, { x: "number", y: "value", text: "name", dx: 18, fontWeight: 600, fill: "currentColor" })] }));
  }
  for (const drawn of document.querySelectorAll("figure svg")) { drawn.setAttribute("aria-hidden", "true"); drawn.removeAttribute("role"); }
}

$("test-filter").addEventListener("input", () => showTests());
$("test-outcome").addEventListener("change", () => showTests());
$("event-state").addEventListener("change", () => { const at = [...$("test-list").children].findIndex((one) => one.getAttribute("aria-selected") === "true"); if (at >= 0) testList.select(at, false); });
for (const id of ["latency-test", "trend-of"]) if ($(id)) $(id).addEventListener("change", draw);
for (const button of document.querySelectorAll("[data-test]")) button.addEventListener("click", () => openTest(facts.tests[Number(button.dataset.test)].id));
for (const button of document.querySelectorAll("[data-event]")) button.addEventListener("click", () => {
  const event = facts.events[Number(button.dataset.event)];
  openTest(facts.tests.some((test) => test.id === event.test) ? event.test : ALL);
  const events = event.test && facts.tests.some((test) => test.id === event.test) ? eventsOf.get(event.test) : facts.events;
  eventList.select(events.indexOf(event));
});
showTests();
document.documentElement.dataset.ready = "true";
setTimeout(() => { draw(); document.documentElement.dataset.drawn = "true"; }, 0);
let resized = 0;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(draw, 150); });
