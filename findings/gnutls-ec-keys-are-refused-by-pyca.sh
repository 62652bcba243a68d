#!/usr/bin/env bash
# GnuTLS (certtool 3.7.9) writes the private number of an EC key as a signed number: 33 octets for P-256 whenever its
# first bit is set, so in about half of all keys. RFC 5915, section 3, wants ceiling(log2(n)/8) octets: 32.
# OpenSSL 3.0 reads such keys. pyca/cryptography 48.0.0 (with its own OpenSSL 4.0.0) refuses them, and calls the number,
# which is an octet too long, "too short"; keys of 32 octets by the same certtool are read.
#
# Seen: certtool 3.7.9, OpenSSL 3.0.22, cryptography 48.0.0:
#   33 octets: openssl reads 20 of 20, cryptography reads 0 of 20
#   32 octets: openssl reads 20 of 20, cryptography reads 20 of 20
#   EC private key is not encoded properly: private key value is too short
#
# Needs certtool (gnutls-bin), openssl, python3 with venv, and the network for pip. Ends with 0 while that holds.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cryptography==48.0.0
echo "$(certtool --version | head -n 1), $(openssl version), cryptography 48.0.0"

cat >read.py <<'PYTHON'
import sys
from cryptography.hazmat.primitives.serialization import load_pem_private_key
try:
    load_pem_private_key(open(sys.argv[1], "rb").read(), None)
except ValueError as error:
    sys.exit(str(error))
PYTHON

declare -A made openssl pyca
for _ in $(seq 40); do
    certtool --generate-privkey --ecc --curve secp256r1 --no-text --outfile key.pem 2>/dev/null
    octets=$(openssl asn1parse -in key.pem | sed -n 's/.* l= *\([0-9]*\) prim: OCTET STRING.*/\1/p' | head -n 1)
    made[$octets]=$((${made[$octets]:-0} + 1))
    if openssl pkey -in key.pem -noout 2>/dev/null; then openssl[$octets]=$((${openssl[$octets]:-0} + 1)); fi
    if venv/bin/python read.py key.pem 2>complaint; then
        pyca[$octets]=$((${pyca[$octets]:-0} + 1))
    elif [[ $octets == 33 ]]; then
        cp complaint complaint.33
    fi
done
for octets in 33 32; do
    echo "$octets octets: openssl reads ${openssl[$octets]:-0} of ${made[$octets]:-0}, cryptography reads" \
        "${pyca[$octets]:-0} of ${made[$octets]:-0}"
done
head -n 1 complaint.33 | cut -d. -f1

[[ ${made[33]:-0} -ge 8 && ${openssl[33]:-0} == "${made[33]}" && ${pyca[33]:-0} == 0 ]]
[[ ${made[32]:-0} -ge 4 && ${pyca[32]:-0} == "${made[32]}" ]]
grep -q "private key value is too short" complaint.33
