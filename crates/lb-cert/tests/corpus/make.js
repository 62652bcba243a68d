// What node's own crypto, node-forge and PKI.js write.
"use strict";
const fs = require("fs");
const crypto = require("crypto");
const forge = require("node-forge");
const asn1js = require("asn1js");
const pkijs = require("pkijs");

const [ascii, latin, emoji] = process.argv.slice(2);
const text = (name) => fs.readFileSync(name, "utf8");
const record = (name, data, kind, certificates, keys, word) => {
  fs.writeFileSync(name, data);
  const hex = word === null ? "-" : Buffer.from(word, "utf8").toString("hex");
  fs.appendFileSync("cases.tsv", [name, kind, certificates, keys, hex].join("\t") + "\n");
};

for (const [kind, type, cipher, word] of [
  ["rsa", "pkcs1", "aes-128-cbc", ascii],
  ["rsa", "pkcs1", "aes-192-cbc", latin],
  ["rsa", "pkcs1", "aes-256-cbc", emoji],
  ["rsa", "pkcs1", "des-ede3-cbc", ascii],
  ["ec", "sec1", "aes-256-cbc", ascii],
  ["ec", "pkcs8", "aes-256-cbc", emoji],
]) {
  const key = crypto.createPrivateKey(text(`${kind}.key`));
  record(`node-${kind}-${type}-${cipher}.pem`, key.export({ format: "pem", type, cipher, passphrase: word }), kind, 0, 1, word);
}

// node-forge knows RSA only.
const key = forge.pki.privateKeyFromPem(text("rsa.key"));
const leaf = forge.pki.certificateFromPem(text("rsa.crt"));
const der = (asn1) => Buffer.from(forge.asn1.toDer(asn1).getBytes(), "binary");
for (const [name, word, options] of [
  ["default", ascii, {}],
  ["3des", ascii, { algorithm: "3des" }],
  ["aes128", ascii, { algorithm: "aes128" }],
  ["3des-word1", latin, { algorithm: "3des" }],
  ["3des-word2", emoji, { algorithm: "3des" }],
  ["aes256-word1", latin, { algorithm: "aes256" }],
  ["nomac", ascii, { algorithm: "3des", useMac: false }],
  ["nomac-word1", latin, { algorithm: "aes256", useMac: false }],
  ["empty", "", { algorithm: "3des" }],
  ["none", null, {}],
]) {
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, [leaf], word, { ...options, generateLocalKeyId: true });
  record(`forge-${name}.p12`, der(asn1), "rsa", 1, 1, word);
}
for (const algorithm of ["3des", "aes128", "aes192", "aes256"]) {
  const info = forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key));
  const locked = forge.pki.encryptPrivateKeyInfo(info, ascii, { algorithm, count: 3000 });
  record(`forge-${algorithm}.pem`, forge.pki.encryptedPrivateKeyToPem(locked), "rsa", 0, 1, ascii);
  const old = forge.pki.encryptRsaPrivateKey(key, ascii, { legacy: true, algorithm });
  record(`forge-old-${algorithm}.pem`, old, "rsa", 0, 1, ascii);
}

const engine = new pkijs.CryptoEngine({ name: "node", crypto: crypto.webcrypto });
pkijs.setEngine("node", engine);
const bytes = (pem) => {
  const buffer = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.length);
};

async function withPkijs(name, word, cipher) {
  const password = new TextEncoder().encode(word).buffer;
  const bag = (bagId, bagValue) => new pkijs.SafeBag({ bagId, bagValue });
  const shrouded = new pkijs.PKCS8ShroudedKeyBag({ parsedValue: pkijs.PrivateKeyInfo.fromBER(bytes(text("ec.key"))) });
  const certificate = new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(bytes(text("ec.crt"))) });
  const contents = (list) => ({ privacyMode: 0, value: new pkijs.SafeContents({ safeBags: list }) });
  const locked = { ...contents([bag("1.2.840.113549.1.12.10.1.3", certificate)]), privacyMode: 1 };
  const pfx = new pkijs.PFX({
    parsedValue: {
      integrityMode: 0,
      authenticatedSafe: new pkijs.AuthenticatedSafe({
        parsedValue: { safeContents: [contents([bag("1.2.840.113549.1.12.10.1.2", shrouded)]), locked] },
      }),
    },
  });
  const encryption = { password, contentEncryptionAlgorithm: { name: cipher, length: 256 }, hmacHashAlgorithm: "SHA-256", iterationCount: 10000 };
  await shrouded.makeInternalValues(encryption);
  await pfx.parsedValue.authenticatedSafe.makeInternalValues({ safeContents: [{}, encryption] });
  await pfx.makeInternalValues({ password, iterations: 10000, pbkdf2HashAlgorithm: "SHA-256", hmacHashAlgorithm: "SHA-256" });
  record(name, Buffer.from(pfx.toSchema().toBER(false)), "ec", 1, 1, word);
}

(async () => {
  await withPkijs("pkijs-cbc.p12", ascii, "AES-CBC");
  await withPkijs("pkijs-word1.p12", latin, "AES-CBC");
  await withPkijs("pkijs-gcm.p12", ascii, "AES-GCM");
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
