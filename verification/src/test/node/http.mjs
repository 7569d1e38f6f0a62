// What Node's own HTTP client, and raw sockets beside it, make of a server:
//   node http.mjs http://127.0.0.1:9001
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import test from "node:test";

const server = new URL(process.argv[2]);
const some = randomBytes(3_000_000);

// ---- Node's client

async function request(agent, method, path, { headers = {}, body } = {}) {
  const sent = http.request(new URL(path, server), { agent, method, headers });
  const continued = once(sent, "continue").then(() => true, () => false);
  if (headers.Expect) await continued;
  for (const piece of Array.isArray(body) ? body : [body ?? ""]) sent.write(piece);
  sent.end();
  const [response] = await once(sent, "response");
  const pieces = await response.toArray();
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces), port: sent.socket?.localPort };
}

function withAgent(name, run) {
  test(name, async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set();
    agent.on("free", (socket) => ports.add(socket.localPort));
    try {
      await run((...args) => request(agent, ...args));
      assert.equal(ports.size, 1, "one connection for all requests");
    } finally {
      agent.destroy();
    }
  });
}

withAgent("requests of all kinds share a connection", async (ask) => {
  for (let i = 0; i < 3; i++) {
    const get = await ask("GET", "/hello");
    assert.equal(get.body.toString(), "hello\n");
    assert.equal(get.headers["content-length"], "6");
    const head = await ask("HEAD", "/hello");
    assert.equal(head.headers["content-length"], "6");
    assert.equal(head.body.length, 0);
    const none = await ask("GET", "/nothing");
    assert.equal(none.status, 204);
    assert.equal(none.headers["content-length"], undefined);
    assert.equal(none.headers["transfer-encoding"], undefined);
    const unchanged = await ask("GET", "/unchanged");
    assert.equal(unchanged.status, 304);
    assert.equal(unchanged.headers["transfer-encoding"], undefined);
    assert.equal((await ask("GET", "/fails")).status, 500);
    assert.equal((await ask("GET", "/nowhere")).status, 404);
  }
});

withAgent("bodies go both ways, with a length and in chunks", async (ask) => {
  for (const headers of [{ "Content-Length": some.length }, { "Transfer-Encoding": "chunked" }]) {
    const body = headers["Content-Length"] ? some : [some.subarray(0, 1), some.subarray(1, 70_000), some.subarray(70_000)];
    const echo = await ask("POST", "/echo", { headers, body });
    assert.equal(echo.headers["transfer-encoding"], "chunked");
    assert.deepEqual(createHash("sha256").update(echo.body).digest(), createHash("sha256").update(some).digest());
  }
});

withAgent("100 Continue comes before the body is sent", async (ask) => {
  const headers = { Expect: "100-continue", "Content-Length": 5 };
  assert.equal((await ask("POST", "/echo", { headers, body: "12345" })).body.toString(), "12345");
  assert.equal((await ask("POST", "/echo", { body: "67" })).body.toString(), "67");
});

withAgent("a body that nobody reads is not the next request", async (ask) => {
  const smuggled = "GET /fails HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
  for (const headers of [{ "Content-Length": smuggled.length }, { "Transfer-Encoding": "chunked" }]) {
    assert.equal((await ask("POST", "/hello", { headers, body: smuggled })).body.toString(), "hello\n");
    assert.equal((await ask("GET", "/hello")).body.toString(), "hello\n");
  }
});

test("a response that is cut is not complete", async () => {
  const outcome = (path) =>
    new Promise((resolve) => {
      http
        .get(new URL(path, server), (response) => {
          response.toArray().then(() => resolve("complete"), (error) => resolve(error.code));
        })
        .on("error", (error) => resolve(error.code)); // if the end overtakes the beginning
    });
  for (const path of ["/cut", "/cut?length"]) assert.equal(await outcome(path), "ECONNRESET");
  assert.equal(await outcome("/hello"), "complete");
});

// ---- Raw sockets

/** Sends the pieces, each by itself, and returns all that comes until the server ends. */
async function raw(...pieces) {
  const socket = net.connect({ port: server.port, host: server.hostname, noDelay: true });
  const came = [];
  socket.on("data", (data) => came.push(data));
  const closed = once(socket, "close");
  for (const piece of pieces) {
    socket.write(piece, "latin1");
    await new Promise(setImmediate);
  }
  await closed;
  return Buffer.concat(came).toString("latin1");
}

const statuses = (responses) => [...responses.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]));
const last = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

test("pipelined requests are answered in order, slow ones first", async () => {
  const ask = (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const all = await raw(ask("/slow") + ask("/hello") + ask("/nothing") + ask("/fails") + ask("/slow") + last);
  assert.deepEqual(statuses(all), [200, 200, 204, 500, 200, 200]);
  assert.deepEqual(all.match(/^(slow|hello|internal).*$/gm), ["slow", "hello", "internal server error", "slow", "hello"]);
});

test("a request may come byte by byte", async () => {
  const post = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n";
  const all = await raw(...post, ...last);
  assert.deepEqual(statuses(all), [200, 200]);
  assert.match(all, /\r\n3\r\nabc\r\n0\r\n\r\n/);
});

for (const [what, bytes] of Object.entries({
  "two lengths": "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 40\r\n\r\nabc",
  "a length and chunks": "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "chunks that are not the last coding": "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
  "a space before a colon": "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 40\r\n\r\n",
  "a folded header": "GET /hello HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
  "no host": "GET /hello HTTP/1.1\r\n\r\n",
  "another protocol": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
  "a chunk whose size is none": "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
  "a negative chunk size": "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
  "a chunk that is longer than its size": "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
})) {
  test(`nothing is served behind ${what}`, async () => {
    const all = await raw(bytes + last);
    assert.ok(statuses(all).every((status) => status === 400 || status === 501), all);
    assert.ok(statuses(all).length <= 1, all);
    assert.doesNotMatch(all, /hello\n/);
  });
}

test("CONNECT makes no tunnel, and what follows an upgrade that is refused is dropped", async () => {
  assert.deepEqual(statuses(await raw("CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n" + last)), [501]);
  const upgrade = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  assert.deepEqual(statuses(await raw(upgrade + last)), [200]);
});

test("200 clients that send garbage and leave do not keep others from being served", async () => {
  const leave = Array.from({ length: 200 }, async (_, i) => {
    const socket = net.connect({ port: server.port, host: server.hostname });
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(randomBytes(1 + i * 50));
    const closed = once(socket, "close");
    if (i % 2) socket.resetAndDestroy();
    else socket.destroy();
    await closed;
  });
  await Promise.all(leave);
  assert.deepEqual(statuses(await raw(last)), [200]);
});
