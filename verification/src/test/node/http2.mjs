// What Node's own HTTP/2 client makes of a server, with WebSockets on its streams (RFC 8441):
//   node http2.mjs http://127.0.0.1:9001
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import http2 from "node:http2";
import test from "node:test";

const server = new URL(process.argv[2]);
const some = randomBytes(3_000_000);

async function connect() {
  const session = http2.connect(server, { rejectUnauthorized: false, maxSessionMemory: 100 });
  const [settings] = await once(session, "remoteSettings");
  assert.equal(settings.enableConnectProtocol, true);
  return session;
}

async function ask(session, headers, body) {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [response] = await once(stream, "response");
  const pieces = await stream.toArray();
  return { status: response[":status"], headers: response, body: Buffer.concat(pieces), code: stream.rstCode };
}

// ---- A WebSocket on a stream, by hand

function frame(first, payload) {
  const mask = randomBytes(4);
  const length = payload.length;
  const header =
    length < 126 ? Buffer.from([first, 0x80 | length])
    : length < 65536 ? Buffer.from([first, 0xfe, length >> 8, length & 255])
    : Buffer.from([first, 0xff, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]);
  const masked = Buffer.from(payload);
  for (let i = 0; i < length; i++) masked[i] ^= mask[i & 3];
  return Buffer.concat([header, mask, masked]);
}

class Socket {
  #held = Buffer.alloc(0);

  constructor(stream) {
    this.stream = stream;
    this.input = stream[Symbol.asyncIterator]();
  }

  static async open(session, path) {
    const stream = session.request(
      { ":method": "CONNECT", ":protocol": "websocket", ":path": path, "sec-websocket-version": "13" },
      { endStream: false });
    const [response] = await once(stream, "response");
    assert.equal(response[":status"], 200);
    return new Socket(stream);
  }

  send(first, payload) {
    this.stream.write(frame(first, Buffer.from(payload)));
  }

  async take(count) {
    while (this.#held.length < count) {
      const { value, done } = await this.input.next();
      if (done) throw new Error("the stream has ended");
      this.#held = Buffer.concat([this.#held, value]);
    }
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async frame() {
    const [first, second] = await this.take(2);
    let length = second;
    if (second === 126) length = (await this.take(2)).readUInt16BE();
    if (second === 127) length = Number((await this.take(8)).readBigUInt64BE());
    return [first, await this.take(length)];
  }

  /** Goes through the closing handshake, and requires that the stream ends in order. */
  async close() {
    this.send(0x88, [0x03, 0xe8]);
    const [first, payload] = await this.frame();
    assert.equal(first, 0x88);
    assert.deepEqual([...payload], [0x03, 0xe8]);
    assert.equal((await this.input.next()).done, true);
    this.stream.end();
    if (!this.stream.closed) await once(this.stream, "close");
    assert.equal(this.stream.rstCode, http2.constants.NGHTTP2_NO_ERROR);
  }
}

// ---- Requests

test("requests share a connection, and are answered as they are ready", async () => {
  const session = await connect();
  const slow = ask(session, { ":path": "/slow" });
  for (let i = 0; i < 20; i++) {
    const { status, body, headers } = await ask(session, { ":path": "/hello" });
    assert.equal(status, 200);
    assert.equal(body.toString(), "hello\n");
    assert.equal(headers["content-length"], "6");
  }
  assert.equal((await slow).body.toString(), "slow\n");
  session.close();
  await once(session, "close");
});

test("bodies go both ways", async () => {
  const session = await connect();
  const echoes = await Promise.all(
    Array.from({ length: 5 }, () => ask(session, { ":method": "POST", ":path": "/echo" }, some)));
  for (const { body } of echoes) assert.deepEqual(body, some);
  session.close();
});

test("statuses without a body, HEAD, failures", async () => {
  const session = await connect();
  assert.equal((await ask(session, { ":path": "/nothing" })).status, 204);
  assert.equal((await ask(session, { ":method": "HEAD", ":path": "/hello" })).headers["content-length"], "6");
  assert.equal((await ask(session, { ":path": "/fails" })).status, 500);
  assert.equal((await ask(session, { ":path": "/nowhere" })).status, 404);
  session.close();
});

test("a response that is cut is an error", async () => {
  const session = await connect();
  const stream = session.request({ ":path": "/cut" });
  await once(stream, "response");
  stream.resume();
  const [failure] = await once(stream, "error");
  assert.match(failure.message, /NGHTTP2_INTERNAL_ERROR/);
  session.close();
});

// ---- WebSockets

test("a socket echoes and closes in order", async () => {
  const session = await connect();
  const socket = await Socket.open(session, "/ws");
  for (const size of [0, 1, 125, 126, 65535, 65536, 1_000_000]) {
    socket.send(0x82, some.subarray(0, size));
    const [first, payload] = await socket.frame();
    assert.equal(first, 0x82);
    assert.deepEqual(payload, some.subarray(0, size));
  }
  socket.send(0x89, "ping");
  assert.deepEqual(await socket.frame(), [0x8a, Buffer.from("ping")]);
  await socket.close();
  session.close();
  await once(session, "close");
});

test("sockets and requests share a connection", async () => {
  const session = await connect();
  const sockets = await Promise.all(Array.from({ length: 60 }, () => Socket.open(session, "/ws")));
  for (let round = 0; round < 5; round++) {
    sockets.forEach((socket, i) => socket.send(0x81, `${round} of ${i}`));
    for (const [i, socket] of sockets.entries()) {
      assert.equal((await socket.frame())[1].toString(), `${round} of ${i}`);
    }
    assert.equal((await ask(session, { ":path": "/hello" })).body.toString(), "hello\n");
  }
  await Promise.all(sockets.map((socket) => socket.close()));
  session.close();
  await once(session, "close");
});

test("a violation closes the socket with its code", async () => {
  const session = await connect();
  const socket = await Socket.open(session, "/ws");
  socket.stream.write(Buffer.from([0x81, 0x01, 0x61])); // not masked
  const [first, payload] = await socket.frame();
  assert.equal(first, 0x88);
  assert.equal(payload.readUInt16BE(), 1002);
  socket.stream.end();
  session.close();
});

test("a refused CONNECT has an answer", async () => {
  const session = await connect();
  const connectTo = (path, protocol, version) =>
    ask(session, { ":method": "CONNECT", ":protocol": protocol, ":path": path, "sec-websocket-version": version }, "");
  assert.equal((await connectTo("/nowhere", "websocket", "13")).status, 404);
  assert.equal((await connectTo("/ws", "websocket", "8")).status, 400);
  assert.equal((await connectTo("/ws", "connect-udp", "13")).status, 501);
  session.close();
});
