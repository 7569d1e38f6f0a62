// The page of the echo sample. Whatever comes from a person or a server reaches the document as text, never as markup.

const LONGEST_SHOWN_TEXT = 400; // characters; the rest of a message waits behind a button
const MOST_SHOWN_LINES = 6;
const LONGEST_SHOWN_BINARY = 128; // bytes
const MOST_ROWS = 1000; // older rows leave the log, so that a page that is left open stays fast
const MOST_AWAITED_ECHOES = 1000;
const LONGEST_REASON = 123; // bytes: a control frame carries 125 (RFC 6455 5.5), the code takes two

const CLOSE_CODES = {
  1000: "normal closure",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "no code was sent",
  1006: "the connection was lost without a closing handshake",
  1007: "invalid payload data",
  1008: "policy violation",
  1009: "message too big",
  1010: "mandatory extension",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1014: "bad gateway",
  1015: "TLS handshake failed",
};

const STATES = {
  [WebSocket.CONNECTING]: { name: "connecting", label: "Connecting…" },
  [WebSocket.OPEN]: { name: "open", label: "Open" },
  [WebSocket.CLOSING]: { name: "closing", label: "Closing…" },
  [WebSocket.CLOSED]: { name: "closed", label: "Closed" },
};

const byId = (id) => document.getElementById(id);
const [stateLabel, connectionUrl, subprotocols, connectButton, sendMessage, sendButton, closeButton, closeCode,
  closeReason, commsLog, logScroller, emptyLog, clearLogButton, jumpToLatest] = [
  "stateLabel", "connectionUrl", "subprotocols", "connectButton", "sendMessage", "sendButton", "closeButton",
  "closeCode", "closeReason", "commsLog", "logScroller", "emptyLog", "clearLogButton", "jumpToLatest",
].map(byId);
const endpoints = [...document.querySelectorAll("input[name=endpoint]")];

const usedBeforeConnecting = [connectionUrl, subprotocols, connectButton, ...endpoints];
const usedWhileOpen = [sendMessage, sendButton, closeButton, closeCode, closeReason, byId("fillServerClose"), byId("fillServerAbort")];

const encoder = new TextEncoder();
const number = new Intl.NumberFormat("en");

let socket = null;
let awaitedEchoes = []; // what was sent and when, oldest first: { content, sentAt }

let followsEnd = true;
let lastScrollTop = 0;
let unseenRows = 0;

// ---- State ----

function showState() {
  const state = STATES[socket.readyState] ?? { name: "unknown", label: `Unknown state ${socket.readyState}` };
  const closed = socket.readyState === WebSocket.CLOSED;
  const open = socket.readyState === WebSocket.OPEN;
  const hadFocus = document.activeElement;

  if (stateLabel.textContent !== state.label) stateLabel.textContent = state.label;
  document.documentElement.dataset.state = state.name;
  for (const control of usedBeforeConnecting) control.disabled = !closed;
  for (const control of usedWhileOpen) control.disabled = !open;

  // A control that is disabled under the keyboard drops the focus: hand it to the one that comes next.
  const focusIsLost = hadFocus === document.body || hadFocus.disabled;
  const keyboardWouldPopUp = matchMedia("(pointer: coarse)").matches;
  if (focusIsLost && open && !keyboardWouldPopUp) sendMessage.focus({ preventScroll: true });
  if (focusIsLost && closed) connectButton.focus({ preventScroll: true });
}

// ---- Connecting ----

function urlOf(path) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host || "localhost:5000"}${path}`;
}

function checkUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return `“${text}” is not a URL. A WebSocket URL looks like ${urlOf("/ws")}`;
  }
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    return `A WebSocket URL starts with ws:// or wss://, this one with ${url.protocol}`;
  }
  if (location.protocol === "https:" && url.protocol === "ws:") {
    return "This page was loaded over HTTPS, so the browser only lets it connect to wss:// URLs.";
  }
  return null;
}

function checkSubprotocols(names) {
  const bad = names.find((name) => !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name));
  if (bad !== undefined) return `“${bad}” cannot be the name of a subprotocol: letters, digits and !#$%&'*+-.^_\`|~ only.`;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? null : `The subprotocol “${twice}” is listed twice.`;
}

function connect() {
  if (socket !== null && socket.readyState !== WebSocket.CLOSED) return;
  const url = connectionUrl.value.trim();
  const names = subprotocols.value.split(/[\s,]+/).filter((name) => name !== "");
  if (refused(connectionUrl, checkUrl(url)) || refused(subprotocols, checkSubprotocols(names))) return;

  let next;
  try {
    next = new WebSocket(url, names);
  } catch (error) {
    refused(connectionUrl, `The browser refuses to connect to ${url}: ${error.message}`);
    return;
  }

  let opened = false;
  socket = next;
  socket.binaryType = "arraybuffer";
  awaitedEchoes = [];
  showNegotiated("–", "–");
  byId("socketHttpVersion").textContent = "–";
  byId("lastRoundTrip").textContent = "–";

  socket.addEventListener("open", () => {
    opened = true;
    logEvent("opened", "Connection opened");
    showNegotiated(socket.protocol || "none", socket.extensions || "none");
    showSocketHttpVersion();
    showState();
  });
  socket.addEventListener("message", (event) => received(event.data));
  socket.addEventListener("error", showState);
  socket.addEventListener("close", (event) => {
    if (opened) logClosed(event);
    else logEvent("fault", `Could not connect to ${url}. Either nothing listens there, or the server refused the handshake; the browser does not say which.`);
    showState();
  });
  showState();
}

function showNegotiated(protocol, extensions) {
  byId("negotiatedProtocol").textContent = protocol;
  byId("negotiatedExtensions").textContent = extensions;
}

/** Browsers do not tell a page the HTTP version of a socket; our server says it in a cookie of the handshake's response. */
function showSocketHttpVersion() {
  const [, version] = document.cookie.match(/(?:^|; )socketHttpVersion=([^;]*)/) ?? [];
  byId("socketHttpVersion").textContent = version ?? "unknown";
}

/** Of a page from its cache, the browser does not tell the version: then we ask for something small that is not cached. */
function findPageHttpVersion() {
  const [navigation] = performance.getEntriesByType("navigation");
  if (navigation?.nextHopProtocol) {
    showPageHttpVersion(navigation.nextHopProtocol);
    return;
  }
  const observer = new PerformanceObserver((list) => {
    const fetched = list.getEntries().find((entry) => entry.initiatorType === "fetch");
    if (!fetched) return;
    observer.disconnect();
    showPageHttpVersion(fetched.nextHopProtocol);
  });
  observer.observe({ type: "resource" });
  fetch("favicon.svg", { method: "HEAD", cache: "no-store" }).catch(() => showPageHttpVersion(""));
}

function showPageHttpVersion(protocol) {
  const names = { "http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", h2: "HTTP/2", h2c: "HTTP/2", h3: "HTTP/3" };
  const version = byId("pageHttpVersion");
  version.textContent = names[protocol] ?? (protocol || "unknown");
  version.removeAttribute("aria-busy");
}

// ---- Messages ----

function send() {
  if (socket?.readyState !== WebSocket.OPEN) {
    logEvent("fault", "Nothing was sent: the socket is not open.");
    return;
  }
  let content = sendMessage.value;
  if (byId("sendAsBinary").checked) {
    content = bytesOf(content);
    if (refused(sendMessage, content === null && "Nothing was sent: binary is written as pairs of hex digits, like 48 65 6c 6c 6f.")) return;
  }

  awaitedEchoes.push({ content: keyOf(content), sentAt: performance.now() });
  if (awaitedEchoes.length > MOST_AWAITED_ECHOES) awaitedEchoes.shift();
  socket.send(content);
  logMessage("Client", "Server", content);

  // The text stays, so that Enter repeats it; selected, so that typing replaces it.
  if (document.activeElement === sendMessage) sendMessage.select();
}

function received(data) {
  const at = performance.now();
  const content = typeof data === "string" ? data : new Uint8Array(data);
  const key = keyOf(content);
  const match = awaitedEchoes.findIndex((awaited) => awaited.content === key);
  if (match < 0) {
    logMessage("Server", "Client", content);
    return;
  }
  // Messages keep their order: what was sent before this one will not be echoed any more.
  const [echo] = awaitedEchoes.splice(0, match + 1).slice(-1);
  const roundTrip = inMilliseconds(at - echo.sentAt);
  byId("lastRoundTrip").textContent = roundTrip;
  logMessage("Server", "Client", content, roundTrip);
}

const keyOf = (content) => (typeof content === "string" ? `text ${content}` : `binary ${hexOf(content)}`);

const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** The bytes written as hex, also as `0xCA 0xFE`, `ca:fe` or `cafe`; null when it is something else. */
function bytesOf(text) {
  const groups = text.split(/[\s,:-]+/).filter((group) => group !== "").map((group) => group.replace(/^0x/i, ""));
  if (groups.some((group) => !/^([0-9a-f]{2})+$/i.test(group))) return null;
  return Uint8Array.from(groups.join("").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function inMilliseconds(time) {
  if (time < 0.1) return "< 0.1 ms"; // browsers round their clock to about that
  return time < 10 ? `${time.toFixed(1)} ms` : `${number.format(Math.round(time))} ms`;
}

// ---- Closing ----

function close() {
  if (socket?.readyState !== WebSocket.OPEN) {
    logEvent("fault", "Nothing was closed: the socket is not open.");
    return;
  }
  const code = closeCode.value.trim();
  const reason = closeReason.value;
  if (refused(closeCode, checkCloseCode(code, reason)) || refused(closeReason, checkReason(reason))) return;
  if (code === "") socket.close();
  else socket.close(Number(code), reason);
  showState();
}

function checkCloseCode(code, reason) {
  if (code === "") return reason === "" ? null : "A reason can only be sent together with a code.";
  const allowed = /^\d{4}$/.test(code) && (code === "1000" || (code >= "3000" && code <= "4999"));
  return allowed ? null : `A page cannot close with “${code}”: the browser lets it send 1000 or 3000–4999.`;
}

function checkReason(reason) {
  const size = encoder.encode(reason).length;
  return size <= LONGEST_REASON ? null : `The reason is ${size} bytes long; a Close frame has room for ${LONGEST_REASON}.`;
}

/** If there is a complaint, logs it, marks the box that it is about, and returns true. */
function refused(box, complaint) {
  if (!complaint) {
    box.removeAttribute("aria-invalid");
    return false;
  }
  box.setAttribute("aria-invalid", "true");
  box.focus({ preventScroll: true });
  logEvent("fault", complaint);
  return true;
}

// ---- Log ----

function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content); // strings become text nodes
  return made;
}

function cell(className, ...content) {
  const made = element("td", className, ...content);
  made.setAttribute("role", "cell");
  return made;
}

function logMessage(from, to, content, roundTrip = "") {
  const binary = typeof content !== "string";
  const size = binary ? content.length : encoder.encode(content).length;
  addRow(element("tr", binary ? "message binary" : "message",
    cell(`from ${from.toLowerCase()}`, element("span", "", from)),
    cell(`to ${to.toLowerCase()}`, to),
    cell("data", ...payload(content)),
    cell("size", binary ? "binary, " : "", element("span", "whole", `${number.format(size)} ${size === 1 ? "byte" : "bytes"}`)),
    cell("rtt", roundTrip)));
}

function payload(content) {
  const binary = typeof content !== "string";
  const shown = (part) => (binary ? hexOf(part) : part);
  const fold = binary ? LONGEST_SHOWN_BINARY : foldOf(content);
  if (content.length <= fold) return [element("span", "payload", shown(content))];

  const box = element("span", "payload");
  const more = element("button", "quiet more");
  more.type = "button";
  const show = (all) => {
    box.classList.toggle("folded", !all);
    box.textContent = shown(all ? content : content.slice(0, fold));
    more.textContent = all ? "Show less" : `Show all ${number.format(content.length)} ${binary ? "bytes" : "characters"}`;
    more.setAttribute("aria-expanded", all);
  };
  show(false);
  more.addEventListener("click", () => {
    show(more.textContent !== "Show less");
    more.scrollIntoView({ block: "nearest" });
  });
  return [box, more];
}

/** How much of a text is shown before it is unfolded: neither too many characters nor too many lines, and no half of a pair. */
function foldOf(text) {
  const start = text.slice(0, LONGEST_SHOWN_TEXT);
  const lines = start.split("\n");
  if (lines.length > MOST_SHOWN_LINES) return lines.slice(0, MOST_SHOWN_LINES).join("\n").length;
  return /[\uD800-\uDBFF]$/.test(start) ? start.length - 1 : LONGEST_SHOWN_TEXT;
}

function logClosed({ code, reason }) {
  const name = CLOSE_CODES[code];
  logEvent(code === 1006 ? "fault" : "closed",
    `Connection closed. Code: ${code}${name ? ` (${name})` : ""}. Reason: `, reason === "" ? "none" : element("bdi", "", reason));
}

function logEvent(kind, ...content) {
  const only = cell("event", ...content);
  only.colSpan = 5;
  addRow(element("tr", `notice ${kind}`, only));
}

function addRow(row) {
  row.setAttribute("role", "row");
  commsLog.append(row);
  while (commsLog.rows.length > MOST_ROWS) commsLog.rows[0].remove();
  showLogSize();
  if (followsEnd) {
    // Not now: laying out the page would delay the echo that is on its way, and its measured time.
    requestAnimationFrame(scrollToEnd);
  } else {
    unseenRows += 1;
    jumpToLatest.textContent = unseenRows === 1 ? "1 new row below" : `${number.format(unseenRows)} new rows below`;
    jumpToLatest.hidden = false;
  }
}

function scrollToEnd() {
  if (!followsEnd) return;
  logScroller.scrollTop = logScroller.scrollHeight;
  lastScrollTop = logScroller.scrollTop;
}

/** The log follows its end until somebody scrolls up, and again once they are back at the end. */
function scrolled() {
  const { scrollHeight, scrollTop, clientHeight } = logScroller;
  if (scrollHeight - scrollTop - clientHeight < 24) followEnd();
  else if (scrollTop < lastScrollTop) followsEnd = false;
  lastScrollTop = scrollTop;
}

function followEnd() {
  followsEnd = true;
  unseenRows = 0;
  jumpToLatest.hidden = true;
}

function showLogSize() {
  const empty = commsLog.rows.length === 0;
  emptyLog.hidden = !empty;
  clearLogButton.disabled = empty;
}

// ---- Wiring ----

function onSubmit(id, action) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    action();
  });
}

onSubmit("connectForm", connect);
onSubmit("sendForm", send);
onSubmit("closeForm", close);

for (const endpoint of endpoints) {
  endpoint.addEventListener("change", () => {
    connectionUrl.value = urlOf(endpoint.value);
    connectionUrl.removeAttribute("aria-invalid");
  });
}
connectionUrl.addEventListener("input", () => {
  for (const endpoint of endpoints) endpoint.checked = urlOf(endpoint.value) === connectionUrl.value;
});

for (const box of [connectionUrl, subprotocols, sendMessage, closeCode, closeReason]) {
  box.addEventListener("input", () => box.removeAttribute("aria-invalid"));
}

sendMessage.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});

for (const kind of document.querySelectorAll("input[name=kind]")) {
  kind.addEventListener("change", showMessageKind);
}
function showMessageKind() {
  const binary = byId("sendAsBinary").checked;
  sendMessage.placeholder = binary ? "48 65 6c 6c 6f" : "";
  sendMessage.removeAttribute("aria-invalid");
  byId("sendHint").textContent = binary
    ? "Pairs of hex digits. Enter sends."
    : "Enter sends, Shift + Enter starts a new line.";
}

for (const button of [byId("fillServerClose"), byId("fillServerAbort")]) {
  button.addEventListener("click", () => {
    byId("sendAsText").checked = true;
    showMessageKind();
    sendMessage.value = button.textContent;
    sendMessage.focus({ preventScroll: true });
  });
}

clearLogButton.addEventListener("click", () => {
  commsLog.replaceChildren();
  followEnd();
  showLogSize();
  logScroller.focus({ preventScroll: true });
});
jumpToLatest.addEventListener("click", () => {
  followEnd();
  scrollToEnd();
  logScroller.focus({ preventScroll: true });
});
logScroller.addEventListener("scroll", scrolled, { passive: true });

connectionUrl.value = urlOf("/ws");
findPageHttpVersion();
