const MOST_SHOWN = 12;

const state = document.querySelector("#state");
const toggle = document.querySelector("#toggle");
const ticks = document.querySelector("#ticks");
let source = null;

function show(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

function add(event) {
  const item = document.createElement("li");
  const number = document.createElement("b");
  const time = document.createElement("time");
  number.textContent = `Tick ${event.lastEventId}`;
  time.dateTime = event.data;
  time.textContent = new Date(event.data).toLocaleTimeString();
  item.append(number, time);
  ticks.prepend(item);
  while (ticks.children.length > MOST_SHOWN) ticks.lastChild.remove();
}

function open() {
  show("connecting", "Connecting…");
  toggle.textContent = "Leave";
  source = new EventSource("ticks");
  source.addEventListener("open", () => show("open", "Listening"));
  source.addEventListener("error", () => show("lost", "Lost; the browser tries again"));
  source.addEventListener("tick", add);
}

function close() {
  source.close();
  source = null;
  show("closed", "Left");
  toggle.textContent = "Come back";
}

toggle.addEventListener("click", () => (source ? close() : open()));
open();
