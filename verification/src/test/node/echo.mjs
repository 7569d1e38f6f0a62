// What the npm package ws makes of the conformance server:
//   node echo.mjs http://127.0.0.1:9001 [MiB of the largest message]
import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import WebSocket from "ws";

const server = process.argv[2].replace("http", "ws");
const largest = Number(process.argv[3] ?? 16) << 20;

for (const api of ["blocking", "listener"]) {
  const url = (settings = "") => `${server}/ws/${api}?api=${api}${settings}`;

  async function connect(settings, protocols, options) {
    const socket = new WebSocket(url(settings), protocols, options);
    socket.messages = [];
    socket.on("message", (data, isBinary) => socket.messages.push(isBinary ? data : data.toString()));
    await once(socket, "open");
    return socket;
  }

  async function close(socket, ...args) {
    socket.close(...args);
    const [code, reason] = await once(socket, "close");
    return [code, reason.toString()];
  }

  async function echoes(socket, count) {
    while (socket.messages.length < count) await once(socket, "message");
    return socket.messages;
  }

  test(`${api}: text, bytes and empty messages come back as what they were`, async () => {
    const socket = await connect();
    const sent = ["Grüße, 世界 🌍", Buffer.from([0, 255, 127, 128]), "", Buffer.alloc(0)];
    for (const message of sent) socket.send(message);
    assert.deepEqual(await echoes(socket, sent.length), sent);
    await close(socket);
  });

  test(`${api}: fragments with a ping between them come back as one message`, async () => {
    const socket = await connect();
    const pong = once(socket, "pong");
    socket.send("frag", { fin: false });
    socket.ping("between");
    socket.send("", { fin: false });
    socket.send("ments", { fin: true });
    assert.equal((await pong)[0].toString(), "between");
    assert.deepEqual(await echoes(socket, 1), ["fragments"]);
    await close(socket);
  });

  test(`${api}: messages of every length form come back`, async () => {
    const socket = await connect();
    const sent = [1, 125, 126, 127, 65535, 65536, 200_000, largest].map((size) => Buffer.alloc(size, size));
    for (const message of sent) socket.send(message);
    const echoed = await echoes(socket, sent.length);
    sent.forEach((message, i) => assert.ok(message.equals(echoed[i]), `message of ${message.length} bytes`));
    await close(socket);
  });

  test(`${api}: a long text comes back`, async () => {
    const socket = await connect();
    const text = "aé世🌍xxxxxx".repeat(largest / 16); // 16 bytes each
    socket.send(text);
    assert.ok((await echoes(socket, 1))[0] === text);
    await close(socket);
  });

  test(`${api}: ten thousand messages come back in their order`, async () => {
    const socket = await connect();
    const sent = Array.from({ length: 10_000 }, (_, i) => `message ${i}`);
    for (const message of sent) socket.send(message);
    assert.deepEqual(await echoes(socket, sent.length), sent);
    await close(socket);
  });

  test(`${api}: a close is answered with its code, an empty one with an empty one`, async () => {
    assert.deepEqual((await close(await connect(), 1000, "done"))[0], 1000);
    assert.deepEqual((await close(await connect(), 4321, "x".repeat(123)))[0], 4321);
    assert.deepEqual(await close(await connect()), [1005, ""]);
  });

  test(`${api}: the server closes with the code that is asked for`, async () => {
    const socket = new WebSocket(url("&close=3456"));
    const [code] = await once(socket, "close");
    assert.equal(code, 3456);
  });

  test(`${api}: a frame without a mask is a protocol error`, async () => {
    const socket = await connect();
    socket.send("unmasked", { mask: false });
    const [code, reason] = await once(socket, "close");
    assert.equal(code, 1002);
    assert.match(reason.toString(), /mask/);
  });

  test(`${api}: text that is not UTF-8 is refused`, async () => {
    const socket = await connect();
    socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
    const [code] = await once(socket, "close");
    assert.equal(code, 1007);
  });

  test(`${api}: a message above the maximum is too big`, async () => {
    const socket = await connect("&max_message=10");
    socket.send("0123456789");
    socket.send("0123456789a");
    const [code] = await once(socket, "close");
    assert.equal(code, 1009);
    assert.deepEqual(socket.messages, ["0123456789"]);
  });

  test(`${api}: subprotocols are chosen, and compression unless it is off`, async () => {
    const socket = await connect("&subprotocols=a,b", ["c", "b"]);
    assert.equal(socket.protocol, "b");
    assert.equal(socket.extensions, "permessage-deflate");
    await close(socket);
    const plain = await connect("&compression=off");
    assert.equal(plain.extensions, "");
    await close(plain);
  });

  test(`${api}: compressed messages come back, whatever the windows`, async () => {
    const line = (i) => JSON.stringify({ user: `anna ${i % 7}`, text: "hello, hello", at: i * 7919 });
    const sent = Array.from({ length: 200 }, (_, i) => line(i).repeat(1 + (i % 5) * 40));
    for (const bits of [9, 10, 12, 15]) {
      for (const noTakeover of [true, false]) {
        const socket = await connect(
          `&server_max_window_bits=${bits}&server_no_context_takeover=${noTakeover}`,
          [],
          {
            perMessageDeflate: {
              threshold: 0,
              clientMaxWindowBits: bits,
              clientNoContextTakeover: noTakeover,
            },
          },
        );
        for (const message of sent) socket.send(message);
        assert.deepEqual(await echoes(socket, sent.length), sent);
        await close(socket);
      }
    }
  });

  test(`${api}: a quiet client is pinged`, async () => {
    const socket = await connect("&keep_alive_interval=50");
    await once(socket, "ping");
    await close(socket);
  });

  test(`${api}: a wrong version gets 426, a bad setting 400`, async () => {
    const refused = async (settings, options) => {
      const socket = new WebSocket(url(settings), [], options);
      const [request, response] = await once(socket, "unexpected-response");
      request.destroy();
      return response;
    };
    const version = await refused("", { protocolVersion: 8 });
    assert.equal(version.statusCode, 426);
    assert.equal(version.headers["sec-websocket-version"], "13");
    assert.equal((await refused("&max_message=none")).statusCode, 400);
  });
}
