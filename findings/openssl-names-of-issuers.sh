#!/usr/bin/env bash
# OpenSSL does not try a signature to tell "self-signed": a server's certificate that has its CA's subject and lacks one
# of the two key identifiers is refused as self-signed (error 18), although a trusted CA of another key signed it. GnuTLS
# accepts it. And of two cross-signed intermediates it takes the first, and never the second: the order decides.
# Seen with OpenSSL 3.0.22 and GnuTLS 3.7.9. Exit code 0: still so; 1: it changed.
set -euo pipefail
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
openssl version
certtool --version | head -n 1

make_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
root() { # FILE SUBJECT
    make_key "$1"
    openssl req -x509 -new -key "$1.key" -subj "$2" -days 30 -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
}
issue() { # FILE KEY SUBJECT ISSUER EXTENSIONS
    printf '%b' "$5" >"$1.ext"
    openssl req -new -key "$2.key" -subj "$3" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$4.pem" -CAkey "$4.key" -CAcreateserial -days 20 -extfile "$1.ext" \
        -out "$1.pem" 2>/dev/null
}
says() { # prints 0, or the error's number
    if output=$(openssl verify "$@" 2>&1); then echo 0; else sed -n 's/^error \([0-9]*\).*/\1/p' <<<"$output"; fi
}
expect() { # WHAT FOUND EXPECTED
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "changed: $3 was seen before" >&2; exit 1; }
}

root ca "/CN=Authority"
make_key server
leaf='basicConstraints=CA:FALSE\nsubjectAltName=DNS:a.example\n'
issue bare server /CN=Authority ca "${leaf}subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n"
issue half server /CN=Authority ca "${leaf}subjectKeyIdentifier=none\nauthorityKeyIdentifier=keyid:always\n"
issue full server /CN=Authority ca "${leaf}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n"
expect "the CA's name, no key identifier" "$(says -CAfile ca.pem bare.pem)" 18
expect "the CA's name, the issuer's key identifier alone" "$(says -CAfile ca.pem half.pem)" 18
expect "the CA's name, both key identifiers" "$(says -CAfile ca.pem full.pem)" 0
cat bare.pem ca.pem >chain.pem
certtool --verify --infile chain.pem --load-ca-certificate ca.pem >/dev/null
echo "GnuTLS accepts the first of them"

root a "/CN=Root A"
root b "/CN=Root B"
make_key middle
middle='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n'
issue by-a middle /CN=Middle a "$middle"
issue by-b middle /CN=Middle b "$middle"
cp by-a.pem middle.pem
issue leaf server /CN=a.example middle "${leaf}authorityKeyIdentifier=keyid:always\n"
cat by-a.pem by-b.pem >a-first.pem
cat by-b.pem by-a.pem >b-first.pem
expect "Root A is trusted, its intermediate sent first" "$(says -CAfile a.pem -untrusted a-first.pem leaf.pem)" 0
expect "Root A is trusted, its intermediate sent second" "$(says -CAfile a.pem -untrusted b-first.pem leaf.pem)" 20
