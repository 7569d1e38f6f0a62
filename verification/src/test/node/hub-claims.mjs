// What the npm package @microsoft/signalr makes of the hub server, in Node (hubs-node.mjs) and in a
// browser (hubs.html): cells, which are ways to connect, and claims, which hold in each of them.

const HUNDRED = Array.from({ length: 100 }, (_, i) => i);

/** A way to connect, such as "webSockets messagepack noNegotiation stateful". */
export function cell(words) {
  const has = (word) => words.split(" ").includes(word);
  const of = (...choices) => choices.find(has) ?? choices[0];
  return {
    words,
    transport: of("webSockets", "serverSentEvents", "longPolling"),
    protocol: of("json", "messagepack"),
    negotiates: !has("noNegotiation"),
    reconnects: of("never", "automatic", "stateful"),
  };
}

/** Returns the claims of a cell as [name, async () => …]; each makes connections of its own. */
export function claims(signalR, protocols, { transport, protocol, negotiates, reconnects }, stage) {
  const all = [];
  const claim = (name, run) =>
    all.push([
      name,
      async () => {
        const opened = [];
        const open = async (address = stage.server) => {
          const connection = build(address);
          opened.push(connection);
          await connection.start();
          return connection;
        };
        try {
          await run(open);
        } finally {
          await Promise.all(opened.map((connection) => connection.stop()));
        }
      },
    ]);

  function build(address) {
    const types = { webSockets: 1, serverSentEvents: 2, longPolling: 4 };
    const hub = reconnects === "stateful" ? "/stateful" : "/testhub";
    const builder = new signalR.HubConnectionBuilder()
      .withUrl(address + hub, { transport: types[transport], skipNegotiation: !negotiates })
      .configureLogging(signalR.LogLevel.None)
      .withHubProtocol(new protocols[protocol]());
    if (reconnects !== "never") builder.withAutomaticReconnect([0, 50, 200, 500, 1000, 2000]);
    if (reconnects === "stateful") builder.withStatefulReconnect();
    const connection = builder.build();
    connection.on("message", () => {}); // others may send to all
    return connection;
  }

  claim("a call is answered", async (open) => {
    const connection = await open();
    equal(await connection.invoke("Echo", "hi"), "hi");
    equal(await connection.invoke("add", 40, 2), 42);
    equal(await connection.invoke("Null"), null);
    equal((await connection.invoke("Nothing")) ?? null, null);
    const names = { webSockets: "WebSockets", serverSentEvents: "ServerSentEvents", longPolling: "LongPolling" };
    equal(await connection.invoke("Transport"), names[transport]);
    if (negotiates) equal(await connection.invoke("ConnectionId"), connection.connectionId);
  });

  claim("a hundred calls at once get their own answers, in their order", async (open) => {
    const connection = await open();
    const order = [];
    await Promise.all(
      HUNDRED.map(async (i) => {
        equal(await connection.invoke("Add", i, i), 2 * i);
        order.push(i);
      }),
    );
    equal(order, HUNDRED);
  });

  claim("values of many kinds arrive as what they are", async (open) => {
    const connection = await open();
    const value = await connection.invoke("MakeComplex");
    const json = protocol === "json";
    equal(value[json ? "string" : "String"], "hé<&>€");
    equal(value[json ? "intArray" : "IntArray"], [1, 2, 3]);
    equal(json ? value.byteArray : [...value.ByteArray], json ? "AAH+/w==" : [0, 1, 254, 255]);
    equal(json ? value.dateTime : value.DateTime.toISOString(), "2000-01-02T03:04:05.678Z");
    equal(value[json ? "map" : "Map"], { a: 1, B: 2 });
  });

  claim("an error arrives with its exact text", async (open) => {
    const connection = await open();
    await fails(
      connection.invoke("Throw", "boom"),
      "An unexpected error occurred invoking 'Throw' on the server. InvalidOperationException: boom",
    );
    await fails(
      connection.invoke("ThrowHub", "boom"),
      "An unexpected error occurred invoking 'ThrowHub' on the server. HubException: boom",
    );
    await fails(
      connection.invoke("NoSuch"),
      "Failed to invoke 'NoSuch' due to an error on the server. HubException: Method does not exist.",
    );
    equal(await connection.invoke("Echo", "still here"), "still here");
  });

  claim("a stream comes down, to its end or its error", async (open) => {
    const connection = await open();
    equal(await items(connection.stream("Count", 100, 0)), HUNDRED);
    equal(await items(connection.stream("Letters")), ["a", "b", "c"]);
    const seen = [];
    await fails(
      items(connection.stream("CountThenThrow", "boom"), seen),
      "An error occurred on the server while streaming results. InvalidOperationException: boom",
    );
    equal(seen, [1]);
  });

  claim("a cancelled stream ends, and makes room for another", async (open) => {
    const connection = await open();
    const oneItem = () =>
      new Promise((resolve, reject) => {
        const subscription = connection.stream("Count", 1_000_000, 5).subscribe({
          next: () => resolve(subscription.dispose()),
          error: reject,
          complete: () => reject(new Error("completed")),
        });
      });
    // A cancelled stream counts until its method has ended, which takes a moment.
    const whenThereIsRoom = async (tries = 200) => {
      try {
        return await oneItem();
      } catch (error) {
        if (tries === 0 || !error.message.includes("more than 100 streams")) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
        return whenThereIsRoom(tries - 1);
      }
    };
    for (let round = 0; round < 3; round++) { // together more than a connection may have at a time
      await Promise.all(HUNDRED.slice(0, 40).map(() => whenThereIsRoom()));
    }
    equal(await connection.invoke("Echo", "free"), "free");
  });

  claim("a stream goes up, and another comes back", async (open) => {
    const connection = await open();
    const numbers = new signalR.Subject();
    const sum = connection.invoke("Sum", numbers);
    for (const i of HUNDRED) numbers.next(i);
    numbers.complete();
    equal(await sum, 4950);

    const words = new signalR.Subject();
    const upper = items(connection.stream("Upper", words));
    for (const word of ["über", "and", "out"]) words.next(word);
    words.complete();
    equal(await upper, ["ÜBER", "AND", "OUT"]);

    const broken = new signalR.Subject();
    const failure = connection.invoke("UploadFails", broken);
    broken.next(1);
    broken.error("broken");
    equal(await failure, "HubException: broken");
  });

  claim("the server calls the client", async (open) => {
    const connection = await open();
    const many = heard(connection, "Many");
    await connection.send("ManyArguments");
    const custom = protocol === "json" ? { name: "n", value: 1 } : { Name: "n", Value: 1 };
    equal(await many, [1, "two", 3.5, null, true, [1, 2], custom]);
    const bare = heard(connection, "Bare");
    await connection.send("NoArguments");
    equal(await bare, []);
  });

  claim("the server asks the client, and hears its result or its error", async (open) => {
    const connection = await open();
    connection.on("Result", async () => 42);
    equal(await connection.invoke("AskCaller"), "got 42");
    connection.off("Result");
    connection.on("Result", () => {
      throw new Error("no answer");
    });
    equal(await connection.invoke("AskFails"), "HubException: Error: no answer");
    connection.off("Result");
    equal(await connection.invoke("AskFails"), "HubException: Client didn't provide a result.");
  });

  claim("a group's members hear what is sent to it", async (open) => {
    const [ann, bob, eve] = [await open(), await open(), await open()];
    const group = "group " + Math.random();
    const said = [ann, bob, eve].map((connection) => {
      const texts = [];
      connection.on("Message", (text) => texts.push(text));
      return texts;
    });
    await ann.invoke("Join", group);
    await bob.invoke("Join", group);
    await eve.invoke("ToGroup", group, "to both");
    await ann.invoke("OthersInGroup", group, "to bob");
    await bob.invoke("Leave", group);
    await ann.invoke("ToGroup", group, "to ann");
    for (const connection of [ann, bob, eve]) { // what is sent last arrives last
      const last = heard(connection, "Message", "last");
      await connection.invoke("Caller", "last");
      await last;
    }
    equal(said, [["to both", "to ann", "last"], ["to both", "to bob", "last"], ["last"]]);
  });

  claim("large texts beyond ASCII come back", async (open) => {
    const connection = await open();
    for (const text of ["Grüße, 世界 🌍 \u2028 <b>&\"'", "aé世🌍".repeat(2500), "", "x".repeat(30_000)]) {
      equal((await connection.invoke("Echo", text)) === text, true);
    }
  });

  if (reconnects === "never") {
    claim("the server may close", async (open) => {
      const connection = await open();
      const closed = new Promise((resolve) => connection.onclose((error) => resolve(error ?? null)));
      await connection.send("Abort");
      equal(await closed, null);
      equal(connection.state, "Disconnected");
    });
  }

  // A browser repeats a request whose connection breaks before an answer has come, unasked.
  const repeats = transport === "longPolling" && typeof window !== "undefined";

  if (reconnects === "automatic" && repeats) {
    claim("a poll that is cut is repeated by the browser, and the connection goes on", async (open) => {
      const proxy = await stage.proxy();
      const connection = await open(proxy.address);
      const id = connection.connectionId;
      let reconnecting = 0;
      connection.onreconnecting(() => reconnecting++);
      for (let i = 0; i < 3; i++) {
        await proxy.cut();
        const said = heard(connection, "message", `after cut ${i}`);
        await connection.invoke("Caller", `after cut ${i}`);
        await said;
        equal(await connection.invoke("ConnectionId"), id);
      }
      equal(reconnecting, 0);
    });
  }

  if (reconnects === "automatic" && !repeats) {
    claim("a connection that is cut comes back as another", async (open) => {
      const proxy = await stage.proxy();
      const connection = await open(proxy.address);
      const ids = new Set([await connection.invoke("ConnectionId")]);
      for (let i = 0; i < 3; i++) {
        const back = new Promise((resolve) => connection.onreconnected(resolve));
        await proxy.cut();
        await back;
        ids.add(await connection.invoke("ConnectionId"));
        equal(await connection.invoke("Echo", "back"), "back");
      }
      equal(ids.size, 4);
    });
  }

  if (reconnects === "stateful") {
    claim("a connection that is cut goes on, and nothing is lost or comes twice", async (open) => {
      const proxy = await stage.proxy();
      const connection = await open(proxy.address);
      const id = connection.connectionId;
      let reconnecting = 0;
      connection.onreconnecting(() => reconnecting++);
      const said = [];
      connection.on("Message", (text) => said.push(Number(text)));
      for (let i = 0; i < 5; i++) {
        const calls = HUNDRED.slice(0, 20).map((k) => connection.invoke("Caller", String(20 * i + k)));
        await proxy.cut();
        await Promise.all(calls);
        equal(await connection.invoke("ConnectionId"), id);
      }
      equal(said, HUNDRED);
      equal(reconnecting, 0);
    });
  }
  return all;
}

/** All items of a stream, also into `seen` while they come. */
function items(stream, seen = []) {
  return new Promise((resolve, reject) =>
    stream.subscribe({ next: (item) => seen.push(item), error: reject, complete: () => resolve(seen) }),
  );
}

/** The arguments of the next call of a method of the client's, or of that with `expected`. */
function heard(connection, method, expected) {
  return new Promise((resolve) =>
    connection.on(method, (...args) => {
      if (expected === undefined || args[0] === expected) resolve(args);
    }),
  );
}

async function fails(promise, text) {
  const outcome = await promise.then((value) => `no error, but ${JSON.stringify(value)}`, (error) => error.message);
  equal(outcome, text);
}

function equal(actual, expected) {
  const [a, e] = [actual, expected].map((value) => JSON.stringify(value) ?? "undefined");
  if (a !== e) throw new Error(`expected ${e.slice(0, 300)}, got ${a.slice(0, 300)}`);
}
