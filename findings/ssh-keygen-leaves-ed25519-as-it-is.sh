#!/bin/sh
# ssh-keygen -p -m PKCS8 reports success for an Ed25519 key and leaves it in OpenSSH's own format.
#
# Seen with OpenSSH 9.2p1 (Debian 12, package openssh-client 1:9.2p1-2+deb12u6): for RSA and ECDSA the command rewrites the
# private key as PKCS#8 ("BEGIN PRIVATE KEY"); for Ed25519 it prints "Your identification has been saved with the new
# passphrase.", exits with 0, and the file still begins with "BEGIN OPENSSH PRIVATE KEY". So a TLS program that was
# given the key still cannot read it, and nothing has said why. Python's cryptography writes PKCS#8 of the same key.
# Fails when that changes (later releases may learn PKCS#8 for Ed25519).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ssh -V 2>&1
for kind in rsa ecdsa ed25519; do
    ssh-keygen -q -t "$kind" -N '' -f "$kind"
    ssh-keygen -p -m PKCS8 -N '' -f "$kind" >said
    echo "$kind: exit $?, $(tail -n 1 said) The file: $(head -n 1 "$kind")"
done
for kind in rsa ecdsa; do
    test "$(head -n 1 "$kind")" = '-----BEGIN PRIVATE KEY-----'
done
test "$(head -n 1 ed25519)" = '-----BEGIN OPENSSH PRIVATE KEY-----'
