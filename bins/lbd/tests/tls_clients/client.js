// Asks https://localhost:PORT with certificate and without, in TLS 1.2 and 1.3; says what it got, a line for each try.
const https = require("node:https");
const fs = require("node:fs");
const [port, root, certificate] = process.argv.slice(1);

function ask(agent, method, body) {
  return new Promise((resolve, reject) => {
    const request = https.request({ agent, host: "localhost", port, method, timeout: 20000 }, (response) => {
      let text = "";
      const protocol = response.socket.getProtocol();
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ protocol, text: `${response.statusCode} ${text}`.trim() }));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
    request.end(body);
  });
}

async function main() {
  for (const version of ["TLSv1.2", "TLSv1.3"]) {
    const shared = { ca: fs.readFileSync(root), minVersion: version, maxVersion: version, servername: "localhost" };
    const pem = fs.readFileSync(certificate);
    const kept = new https.Agent({ ...shared, cert: pem, key: pem, keepAlive: true, maxSockets: 1 });
    const answers = [];
    for (const [method, body] of [["GET"], ["POST", "x".repeat(100000)], ["HEAD"]]) {
      const { protocol, text } = await ask(kept, method, body);
      answers.push(text);
      answers.protocol = protocol;
    }
    console.log([answers.protocol, ...answers].join(" | "));
    kept.destroy();
    try {
      await ask(new https.Agent({ ...shared }), "GET");
      console.log("let in");
    } catch (error) {
      console.log("refused", error.code, /alert/.test(error.message) ? "by an alert" : error.message);
    }
  }
}
main();
