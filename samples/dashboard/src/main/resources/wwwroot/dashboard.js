// The page of the dashboard. Each tick holds the whole picture, so the latest one is all it keeps.

const BACK_AFTER_MS = 2000;
const FIGURES_EVERY_MS = 250; // nobody reads faster

const byId = id => document.getElementById(id);

let socket;
let latest = null; // the last tick that has come
let shown = null; // the one that is drawn
let skipped = 0;
let quickest = Infinity; // the least time from the server's clock to ours: what remains is the age
let arrivals = []; // of this page's ticks in the last second
let slowTicks = []; // of the slow viewer: when its tick changed

function show(state, words) {
  document.documentElement.dataset.state = state;
  byId('state').textContent = words;
}

function connect() {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  socket = new WebSocket(`${scheme}//${location.host}/ticks`);
  socket.onopen = () => {
    latest = null;
    skipped = 0;
    quickest = Infinity;
    show('open', 'Live');
    byId('slowSwitch').disabled = false;
  };
  socket.onmessage = message => receive(JSON.parse(message.data));
  socket.onclose = () => {
    show('lost', 'Connection lost');
    byId('slowSwitch').disabled = true;
    setTimeout(connect, BACK_AFTER_MS);
  };
}

function receive(tick) {
  skipped += latest ? tick.tick - latest.tick - 1 : 0;
  quickest = Math.min(quickest, Date.now() - tick.at);
  arrivals.push(performance.now());
  if (tick.slow?.tick !== latest?.slow?.tick) {
    slowTicks.push(performance.now());
  }
  latest = tick;
}

const lastSecond = times => times.filter(time => time > performance.now() - 1000);
const time = ms => ms < 1000 ? `${Math.max(Math.round(ms), 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
const count = number => number.toLocaleString('en');

/** A round number that is at least as large: 1, 2, 5, 10, … */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map(step => step * power).find(round => round >= value);
}

function curve(id, readings, least, unit) {
  const first = readings.findIndex(reading => reading !== null); // there are none from before the start
  const known = readings.slice(first);
  const top = roundUp(Math.max(least, ...known));
  const points = known.map((reading, i) => `${first + i} ${(100 - 100 * reading / top).toFixed(1)}`);
  const [area, line] = byId(`${id}Curve`).children;
  line.setAttribute('d', `M${points.join('L')}`);
  area.setAttribute('d', `M${first} 100L${points.join('L')}L${readings.length - 1} 100Z`);
  byId(id).textContent = `${Math.round(readings.at(-1))} ${unit}`;
  byId(`${id}Top`).textContent = `${top} ${unit}`;
}

function draw() {
  if (latest && latest !== shown) {
    shown = latest;
    curve('cpu', shown.cpu, 10, '%');
    curve('heap', shown.heap, 10, 'MiB');
  }
  requestAnimationFrame(draw);
}

function figures() {
  if (!shown) {
    return;
  }
  arrivals = lastSecond(arrivals);
  byId('rate').textContent = arrivals.length;
  byId('age').textContent = time(Date.now() - shown.at - quickest);
  byId('skipped').textContent = count(skipped);
  byId('tick').textContent = count(shown.tick);
  byId('viewers').textContent = shown.viewers === 1 ? 'one viewer' : `${shown.viewers} viewers`;

  const slow = shown.slow;
  slowTicks = lastSecond(slowTicks);
  byId('slow').className = slow ? 'card on' : 'card';
  byId('slowSwitch').checked = slow !== null;
  byId('slowRate').textContent = slow?.tick ? slowTicks.length : '–';
  byId('slowAge').textContent = slow?.tick ? time(slow.age) : '–';
  byId('slowSkipped').textContent = slow?.tick ? count(slow.skipped) : '–';
}

byId('slowSwitch').onchange = change => socket.send(change.target.checked ? 'slow on' : 'slow off');

connect();
requestAnimationFrame(draw);
setInterval(figures, FIGURES_EVERY_MS);
