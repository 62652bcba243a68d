#!/usr/bin/env bash
# node-forge 1.4.3: a certificate signed with ECDSA that is read from PEM and written again, as toPkcs12Asn1 does with each
# certificate of a PKCS#12, has two bytes more: a NULL parameter in the outer signature algorithm, which RFC 5758, section 3.2
# forbids and the signed inner one does not have. OpenSSL then reports a failed signature. The certificate is valid before.
# Seen with node 20.20 and OpenSSL 3.0.22. Needs node, npm, openssl. Fails when this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --no-save --no-audit --no-fund --silent node-forge@1.4.3

openssl ecparam -name prime256v1 -genkey -noout -out root.key
openssl req -x509 -key root.key -subj /CN=Root -days 30 -out root.crt
openssl req -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=leaf.example -out leaf.csr 2>/dev/null
openssl x509 -req -in leaf.csr -CA root.crt -CAkey root.key -set_serial 2 -days 20 -out leaf.crt 2>/dev/null
openssl verify -CAfile root.crt leaf.crt

node -e '
const fs = require("fs");
const forge = require("node-forge");
const key = forge.pki.privateKeyFromPem(fs.readFileSync("leaf.key", "utf8"));
const certificate = forge.pki.certificateFromPem(fs.readFileSync("leaf.crt", "utf8"));
const asn1 = forge.pkcs12.toPkcs12Asn1(key, [certificate], "word", { algorithm: "3des" });
fs.writeFileSync("leaf.p12", Buffer.from(forge.asn1.toDer(asn1).getBytes(), "binary"));
'
openssl pkcs12 -in leaf.p12 -passin pass:word -nokeys -out out.pem
openssl x509 -in out.pem -out again.crt
before=$(openssl x509 -in leaf.crt -outform DER | wc -c)
after=$(openssl x509 -in again.crt -outform DER | wc -c)
echo "node $(node --version), node-forge 1.4.3, $(openssl version)"
echo "before: $before bytes; out of the PKCS#12: $after bytes"
if answer=$(openssl verify -CAfile root.crt again.crt 2>&1); then
    echo "changed: the certificate still verifies"
    exit 1
fi
echo "$answer"
grep -q "certificate signature failure" <<<"$answer" && [[ $after -eq $((before + 2)) ]]
