// The page of the chat: one socket for each visit to a room, which comes back when it is lost.

const MOST_LINES = 500;
const BACK_AFTER_MS = 2000;

const byId = id => document.getElementById(id);
const [door, talk, log, names, text] = ['door', 'talk', 'log', 'names', 'text'].map(byId);

let visit = null; // where we are: { name, room, socket }

function show(state, words) {
  document.documentElement.dataset.state = state;
  byId('state').textContent = words;
}

function connect(current) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const { room, name } = current;
  const socket = new WebSocket(`${scheme}//${location.host}/rooms/${encodeURIComponent(room)}?name=${encodeURIComponent(name)}`);
  current.socket = socket;
  show('connecting', 'Connecting…');
  socket.onopen = () => {
    log.replaceChildren(); // the server sends what was said last
    byId('roomName').textContent = room;
  };
  socket.onmessage = message => receive(JSON.parse(message.data), current);
  socket.onclose = close => {
    if (visit !== current) {
      return;
    }
    if (close.code >= 4000) {
      leave();
      byId('refusal').textContent = `Not entered: ${close.reason}.`;
      byId('refusal').hidden = false;
      return;
    }
    show('lost', 'Connection lost');
    setTimeout(() => visit === current && connect(current), BACK_AFTER_MS);
  };
}

function receive(event, current) {
  if (talk.hidden) {
    door.hidden = true;
    talk.hidden = false;
    text.focus();
  }
  show('open', 'Connected');
  switch (event.event) {
    case 'joined': return news(`${event.name} has come`);
    case 'left': return news(`${event.name} has gone`);
    case 'said': return said(event, current);
    case 'here': return here(event.names, current);
  }
}

function line(className, ...parts) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const item = document.createElement('li');
  item.className = className;
  item.append(...parts);
  log.append(item);
  while (log.childElementCount > MOST_LINES) {
    log.firstElementChild.remove();
  }
  if (atEnd) {
    log.scrollTop = log.scrollHeight;
  }
}

function element(tag, content) {
  const made = document.createElement(tag);
  made.textContent = content; // never HTML
  return made;
}

function news(words) {
  line('news', words);
}

function said({ name, text: words, at }, current) {
  const when = new Date(at);
  const time = element('time', when.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  time.dateTime = at;
  time.title = when.toLocaleString();
  line(name === current.name ? 'me' : '', element('b', name), time, element('span', words));
}

function here(all, current) {
  byId('count').textContent = `(${all.length})`;
  names.replaceChildren(...all.map(name => {
    const item = element('li', name);
    item.className = name === current.name ? 'me' : '';
    return item;
  }));
}

function leave() {
  const socket = visit?.socket;
  visit = null;
  socket?.close(1000);
  talk.hidden = true;
  door.hidden = false;
  show('closed', 'Not connected');
}

function enter(name, room) {
  byId('refusal').hidden = true;
  visit = { name, room };
  connect(visit);
}

door.onsubmit = event => {
  event.preventDefault();
  enter(byId('name').value.trim(), byId('room').value);
};

byId('say').onsubmit = event => {
  event.preventDefault();
  if (text.value.trim() && visit?.socket.readyState === WebSocket.OPEN) {
    visit.socket.send(text.value);
    text.value = '';
  }
};

byId('leave').onclick = leave;

// A link can lead into a room: ?room=tea&name=Ada
const link = new URLSearchParams(location.search);
byId('room').value = link.get('room') ?? 'lobby';
byId('name').value = link.get('name') ?? '';
if (link.has('room') && link.has('name')) {
  enter(link.get('name'), link.get('room'));
}
