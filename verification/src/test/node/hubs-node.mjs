// What @microsoft/signalr makes of the hub server in Node; the claims stand in hub-claims.mjs:
//   node hubs-node.mjs http://127.0.0.1:9001 https://127.0.0.1:9002 "cell" "cell" …
// A cell is words of hub-claims.mjs, and "https" for TLS.
import test from "node:test";
import * as signalR from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { cell, claims } from "./hub-claims.mjs";

const [plain, secure, ...cells] = process.argv.slice(2);
const protocols = { json: signalR.JsonHubProtocol, messagepack: MessagePackHubProtocol };

async function text(path) {
  const response = await fetch(plain + path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.text();
}

function stage(scheme) {
  return {
    server: scheme === "https" ? secure : plain,
    proxy: async () => {
      const port = await text(`/proxies/${scheme}`);
      return { address: `${scheme}://127.0.0.1:${port}`, cut: () => text(`/cut/${port}`) };
    },
  };
}

test("cells", { concurrency: 4 }, (cellsTest) =>
  Promise.all(
    cells.map((words) =>
      cellsTest.test(words, { concurrency: 1 }, async (t) => {
        const scheme = words.split(" ").includes("https") ? "https" : "http";
        const all = claims(signalR, protocols, cell(words), stage(scheme));
        for (const [name, run] of all) await t.test(name, run);
      }),
    ),
  ),
);
