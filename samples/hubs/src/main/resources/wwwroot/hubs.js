// The page of the lounge: one connection to the hub, for as long as the page is open.

const MOST_LINES = 500;
const MOST_SPEEDS = 60;
const BACK_AFTER_MS = [0, 1000, 2000, 5000]; // the last one again and again

const byId = id => document.getElementById(id);
const [door, talk, log, names, text] = ['door', 'talk', 'log', 'names', 'text'].map(byId);

// What gives this page its name back when it returns before the server knows that it was lost.
const key = crypto.randomUUID?.() ?? String(Math.random());

let place = null; // where we are: { name, room }
let asking = null; // whom the next text is for; null for everybody
let wind = null; // the subscription to the stream

function show(state, words) {
  document.documentElement.dataset.state = state;
  byId('state').textContent = words;
  byId('send').disabled = state !== 'open'; // what was typed stays
  byId('detail').textContent = state === 'open' && connection.connectionId ? `connection ${connection.connectionId}` : '';
}

// ---- The connection

if (!window.signalR) {
  show('lost', 'signalr.min.js is missing: ./run setup brings it');
  throw new Error('signalr.min.js is missing');
}

const connection = new signalR.HubConnectionBuilder()
  .withUrl('/chat')
  .withStatefulReconnect() // a short loss of the network goes unnoticed
  .withAutomaticReconnect({
    nextRetryDelayInMilliseconds: ({ previousRetryCount }) => BACK_AFTER_MS[Math.min(previousRetryCount, BACK_AFTER_MS.length - 1)],
  })
  .configureLogging(signalR.LogLevel.Warning)
  .build();

connection.onreconnecting(() => show('lost', 'Reconnecting…'));
connection.onreconnected(() => connected()); // on a new connection, which is in no room
connection.onclose(() => {
  show('lost', 'Connection closed');
  setTimeout(start, BACK_AFTER_MS.at(-1));
});

async function start() {
  try {
    await connection.start();
    await connected();
  } catch {
    if (connection.state === signalR.HubConnectionState.Disconnected) {
      show('lost', 'No connection');
      setTimeout(start, BACK_AFTER_MS.at(-1));
    }
  }
}

async function connected() {
  show('open', 'Connected');
  if (place) {
    await enter(place);
  }
  listenToTheWind();
}

// ---- What the hub calls

connection.on('entered', lately => {
  log.replaceChildren();
  lately.forEach(said);
});
connection.on('joined', name => news(`${name} has come`));
connection.on('left', name => news(`${name} has gone`));
connection.on('said', said);
connection.on('here', here);
connection.on('asked', (from, question) => new Promise(answer => ask(from, question, answer)));

// ---- Rooms

async function enter(wanted) {
  byId('refusal').hidden = true;
  try {
    await connection.invoke('enter', wanted.room, wanted.name, key);
  } catch (error) {
    place = null;
    door.hidden = false;
    talk.hidden = true;
    byId('refusal').textContent = `Not entered: ${reasonOf(error)}.`;
    byId('refusal').hidden = false;
    return;
  }
  place = wanted;
  byId('roomName').textContent = place.room;
  markMe();
  if (talk.hidden) {
    door.hidden = true;
    talk.hidden = false;
    toEnd(); // what was said last has come before there was a height
    text.focus();
  }
}

function leave() {
  connection.send('leave').catch(() => {});
  place = null;
  names.replaceChildren();
  byId('questions').replaceChildren();
  writeTo(null);
  talk.hidden = true;
  door.hidden = false;
}

/** What a HubException says, without what the client puts before it. */
function reasonOf(error) {
  return error.message.replace(/^.*HubException: /, '');
}

// ---- The log

function element(tag, content, className = '') {
  const made = document.createElement(tag);
  made.textContent = content; // never HTML
  made.className = className;
  return made;
}

const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;

function toEnd() {
  log.scrollTop = log.scrollHeight;
}

function line(className, ...parts) {
  const atEnd = isAtEnd();
  const item = element('li', '', className);
  item.append(...parts);
  log.append(item);
  while (log.childElementCount > MOST_LINES) {
    log.firstElementChild.remove();
  }
  if (atEnd) {
    toEnd();
  }
}

function news(words) {
  line('news', words);
}

function said({ name, text: words, at }) {
  const when = new Date(at);
  const time = element('time', when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  time.dateTime = at;
  time.title = when.toLocaleString();
  const item = element('b', name);
  item.dataset.name = name;
  line('', item, time, element('span', words));
  markMe();
}

function here(all) {
  byId('count').textContent = `(${all.length})`;
  names.replaceChildren(...all.map(name => {
    const item = document.createElement('li');
    const label = element('span', name);
    label.dataset.name = name;
    const button = element('button', 'Ask', 'small');
    button.type = 'button';
    button.setAttribute('aria-label', `Ask ${name}`);
    button.onclick = () => writeTo(name);
    item.append(label, button);
    return item;
  }));
  markMe();
}

/** A name is known only when the room has let us in, which may be after the first list. */
function markMe() {
  for (const label of document.querySelectorAll('[data-name]')) {
    label.parentElement.classList.toggle('me', label.dataset.name === place?.name);
  }
}

// ---- Questions

function writeTo(name) {
  asking = name;
  text.placeholder = name ? `Ask ${name} something, to be answered with yes or no` : 'Say something';
  byId('send').textContent = name ? 'Ask' : 'Send';
  byId('toAll').hidden = !name;
  text.focus();
}

/** Shows a question; the hub waits until it is answered. */
function ask(from, question, answer) {
  const card = element('div', '', 'question');
  const choose = (label, value) => {
    const button = element('button', label, value ? 'primary' : '');
    button.type = 'button';
    button.onclick = () => {
      card.remove();
      answer(value);
    };
    return button;
  };
  const words = element('p', '');
  words.append(element('b', from), ` asks: ${question}`);
  card.append(words, choose('Yes', true), choose('No', false));
  const atEnd = isAtEnd();
  byId('questions').append(card); // which takes its height from the log
  if (atEnd) {
    toEnd();
  }
}

async function putQuestion(name, question) {
  news(`You ask ${name}: ${question}`);
  try {
    const yes = await connection.invoke('ask', name, question);
    news(`${name} says ${yes ? 'yes' : 'no'}`);
  } catch (error) {
    news(reasonOf(error));
  }
}

byId('say').onsubmit = event => {
  event.preventDefault();
  const words = text.value.trim();
  if (!words || connection.state !== signalR.HubConnectionState.Connected) {
    return;
  }
  if (asking) {
    putQuestion(asking, words);
    writeTo(null);
  } else {
    connection.send('say', words);
  }
  text.value = '';
};

byId('toAll').onclick = () => writeTo(null);

// ---- The stream

const speeds = [];

function listenToTheWind() {
  wind?.dispose(); // the hub then stops to send
  wind = null;
  document.documentElement.classList.toggle('calm', !byId('windOn').checked);
  if (byId('windOn').checked) {
    wind = connection.stream('wind').subscribe({ next: feel, complete() {}, error() {} });
  }
}

function feel(speed) {
  speeds.push(speed);
  if (speeds.length > MOST_SPEEDS) {
    speeds.shift();
  }
  byId('speed').textContent = `${speed.toFixed(1)} m/s`;
  byId('trace').setAttribute('points', speeds.map((each, i) => `${120 * i / (MOST_SPEEDS - 1)},${39 - 1.9 * each}`).join(' '));
}

byId('windOn').onchange = () => connection.state === signalR.HubConnectionState.Connected && listenToTheWind();

// ---- The page

door.onsubmit = event => {
  event.preventDefault();
  enter({ name: byId('name').value.trim(), room: byId('room').value });
};

byId('leave').onclick = leave;

// A link can lead into a room: ?room=tea&name=Ada
const link = new URLSearchParams(location.search);
byId('room').value = link.get('room') ?? 'lobby';
byId('name').value = link.get('name') ?? '';
if (link.has('room') && link.has('name')) {
  place = { name: link.get('name'), room: link.get('room') };
}
byId('windOn').checked = true;
start();
