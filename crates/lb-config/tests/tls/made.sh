#!/bin/sh
# Makes the files beside it, anew and with other keys: the dates that tests/common/mod.rs goes by must follow.
set -eu
cd "$(dirname "$0")"
authority() { # name of the file, subject
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    openssl req -x509 -new -key "$1.key" -subj "$2" -days 1800 -out "$1.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}
leaf() { # name of the file, authority, names, days, purpose
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    printf 'basicConstraints=critical,CA:FALSE\nsubjectAltName=%s\nextendedKeyUsage=%s\nkeyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' "$3" "$5" >ext
    openssl req -new -key "$1.key" -subj "/CN=$1" -out csr
    openssl x509 -req -in csr -CA "$2.pem" -CAkey "$2.key" -days "$4" -extfile ext -out "$1.crt"
    cat "$1.crt" "$2.pem" >"$1.pem"
    rm csr ext "$1.crt"
}
authority ca "/O=Example/CN=Example root"
leaf www ca DNS:www.example.com,DNS:example.com 90 serverAuth
leaf api ca "DNS:api.example.com,DNS:*.api.example.com" 90 serverAuth
leaf old ca DNS:old.example.com 1 serverAuth
leaf client ca DNS:client.example.com 90 clientAuth
openssl req -new -key www.key -subj /CN=www.example.com -out request.csr
cat api.pem api.key >api-and-key.pem
openssl pkey -in www.key -aes256 -passout pass:open-sesame -out locked.key
openssl ecparam -name prime256v1 -genkey -noout -out lost.key
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ncrlnumber=number\ndefault_crl_days=90\n' >conf
: >index; echo 01 >number
openssl ca -gencrl -config conf -cert ca.pem -keyfile ca.key -out crl.pem
rm -f conf index* number* ca.key api.pem api.key
