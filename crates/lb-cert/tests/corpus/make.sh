#!/usr/bin/env bash
# Makes encrypted containers and keys with the programs that people use, and cases.tsv, which says what is in each.
#
#   make.sh OUT MODULES    into the folder OUT; MODULES is the node_modules folder with node-forge and pkijs
#
# Keys and certificates are taken from OUT when it has them (the committed ones), else made anew.
# cases.tsv: file, identity (rsa or ec), certificates, keys, password in hexadecimal ("-": none is given).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
modules=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
cd "$out"
ascii=correct-horse
latin=$'p\xc3\xa4ssw\xc3\xb6rd'         # outside ASCII, inside Latin-1
emoji=$'k\xc3\xbchn-\xf0\x9f\x94\x91'   # outside the basic plane of Unicode

# case FILE IDENTITY CERTIFICATES KEYS PASSWORD
case_() {
    [[ -s $1 ]] || { echo "$1 was not written" >&2; exit 1; }
    local hex=-
    [[ $5 == - ]] || hex=$(printf %s "$5" | od -An -v -tx1 | tr -d ' \n')
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$hex" >>cases.tsv
}

identity() {
    [[ ! -s rsa.key ]] || return 0
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null \
        || openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out root.key
    openssl req -x509 -key root.key -subj "/O=Corpus/CN=Root" -days 36500 -out root.crt
    local kind
    for kind in rsa ec; do
        openssl req -new -key $kind.key -subj "/CN=$kind.example" -out "$work/$kind.csr"
        openssl x509 -req -in "$work/$kind.csr" -CA root.crt -CAkey root.key -set_serial 0x$((RANDOM + 2)) -days 36500 -out $kind.crt
    done
    rm root.key
}

openssl_() {
    local name more
    while IFS='|' read -r name more; do
        # shellcheck disable=SC2086
        openssl pkcs12 -export -inkey ec.key -in ec.crt -certfile root.crt -passout "pass:$ascii" $more -out "openssl-$name.p12"
        case_ "openssl-$name.p12" ec 2 1 "$ascii"
    done <<'LIST'
default|-name server
legacy|-legacy
3des|-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
2des|-legacy -keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-2DES
rc2-40|-legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40
rc2-128|-legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-128
aes128|-keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha384
aes192|-keypbe AES-192-CBC -certpbe AES-192-CBC -macalg sha512
mac-md5|-macalg md5
mac-sha512-256|-macalg sha512-256
nomac|-nomac
nomac-legacy|-nomac -legacy
certs-in-clear|-certpbe NONE
all-in-clear|-keypbe NONE -certpbe NONE
100000|-iter 100000 -macalg sha512
LIST
    local word index=0
    for word in "$latin" "$emoji" ""; do
        index=$((index + 1))
        for more in "" "-legacy" "-nomac" "-nomac -legacy"; do
            name="openssl-word$index${more// /}.p12"
            # shellcheck disable=SC2086
            openssl pkcs12 -export -inkey ec.key -in ec.crt -certfile root.crt -passout "pass:$word" $more -out "$name"
            case_ "$name" ec 2 1 "$word"
            [[ -n $word ]] || case_ "$name" ec 2 1 -
        done
    done
    # Their Latin-1 spelling, as a password file of old has it: the derivation of PKCS#12 knows it.
    openssl pkcs12 -export -inkey ec.key -in ec.crt -legacy -passout "pass:$latin" -out openssl-latin1.p12
    case_ openssl-latin1.p12 ec 1 1 "$(printf 'p\xe4ssw\xf6rd')"
    openssl pkcs12 -export -inkey ec.key -in ec.crt -passout "pass:$latin" -out openssl-latin1-aes.p12
    case_ openssl-latin1-aes.p12 ec 1 1 "$(printf 'p\xe4ssw\xf6rd')"
    { echo "-----BEGIN PKCS12-----"; openssl base64 -in openssl-default.p12; echo "-----END PKCS12-----"; } >openssl-armoured.pem
    case_ openssl-armoured.pem ec 2 1 "$ascii"
    local pkcs8=(openssl pkcs8 -topk8 -provider legacy -provider default)
    for name in PBE-SHA1-3DES PBE-SHA1-2DES PBE-SHA1-RC2-40 PBE-SHA1-RC2-128 PBE-MD5-DES PBE-SHA1-DES PBE-MD5-RC2-64 PBE-SHA1-RC2-64; do
        "${pkcs8[@]}" -in rsa.key -v1 $name -passout "pass:$ascii" -out "openssl-$name.pem"
        case_ "openssl-$name.pem" rsa 0 1 "$ascii"
        "${pkcs8[@]}" -in ec.key -v1 $name -passout "pass:$emoji" -outform der -out "openssl-$name.der"
        case_ "openssl-$name.der" ec 0 1 "$emoji"
    done
    while IFS='|' read -r name more; do
        # shellcheck disable=SC2086
        "${pkcs8[@]}" -in ec.key $more -passout "pass:$latin" -out "openssl-v2-$name.pem"
        case_ "openssl-v2-$name.pem" ec 0 1 "$latin"
    done <<'LIST'
aes128|-v2 aes-128-cbc -v2prf hmacWithSHA1
aes192|-v2 aes-192-cbc -v2prf hmacWithSHA512
aes256|-v2 aes-256-cbc
md5|-v2 aes-256-cbc -v2prf hmacWithMD5
sha512-256|-v2 aes-256-cbc -v2prf hmacWithSHA512-256
des3|-v2 des3
des|-v2 des-cbc
rc2|-v2 rc2-cbc
rc2-40|-v2 rc2-40-cbc
scrypt|-scrypt
LIST
    for name in aes128 aes192 aes256 des3 des; do
        openssl rsa -provider legacy -provider default -in rsa.key -traditional -$name -passout "pass:$ascii" -out "openssl-old-rsa-$name.pem"
        case_ "openssl-old-rsa-$name.pem" rsa 0 1 "$ascii"
        openssl ec -provider legacy -provider default -in ec.key -$name -passout "pass:$latin" -out "openssl-old-ec-$name.pem"
        case_ "openssl-old-ec-$name.pem" ec 0 1 "$latin"
    done
}

nss() {
    local database=sql:$work/nss kind word name index=0
    mkdir "$work/nss"
    certutil -N -d "$database" --empty-password
    for kind in rsa ec; do
        openssl pkcs12 -export -inkey $kind.key -in $kind.crt -certfile root.crt -name $kind -passout "pass:$ascii" -out "$work/nss.p12"
        pk12util -i "$work/nss.p12" -d "$database" -W "$ascii"
    done
    while IFS='|' read -r name kind key certificate; do
        pk12util -o "nss-$name.p12" -n "$kind" -d "$database" -W "$ascii" ${key:+-c "$key"} ${certificate:+-C "$certificate"}
        case_ "nss-$name.p12" "$kind" 2 1 "$ascii"
    done <<'LIST'
default|rsa||
ec|ec||
aes128|ec|AES-128-CBC|AES-128-CBC
3des|ec|PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC|PKCS #12 V2 PBE With SHA-1 And 3KEY Triple DES-CBC
rc2|ec|PKCS #12 V2 PBE With SHA-1 And 128 Bit RC2 CBC|PKCS #12 V2 PBE With SHA-1 And 40 Bit RC2 CBC
clear|ec|AES-256-CBC|none
LIST
    for word in "$latin" "$emoji"; do
        index=$((index + 1))
        printf '%s\n' "$word" >"$work/word"
        pk12util -o "nss-word$index.p12" -n ec -d "$database" -w "$work/word"
        case_ "nss-word$index.p12" ec 2 1 "$word"
    done
} >/dev/null

java_() {
    local from=(-srckeystore "$work/java.p12" -srcstorepass "$ascii")
    local bc=(-providerpath /usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar
        -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -destprovidername BC)
    local kind name
    for kind in rsa ec; do
        openssl pkcs12 -export -inkey $kind.key -in $kind.crt -certfile root.crt -name server -passout "pass:$ascii" -out "$work/java.p12"
        for name in PKCS12 PKCS12-3DES-3DES; do
            rm -f "bc-$kind-$name.p12"
            keytool -importkeystore "${from[@]}" -destkeystore "bc-$kind-$name.p12" -deststoretype $name -deststorepass "$ascii" "${bc[@]}"
            case_ "bc-$kind-$name.p12" $kind 2 1 "$ascii"
        done
        rm -f "keytool-$kind.p12" "keytool-legacy-$kind.p12"
        keytool -importkeystore "${from[@]}" -destkeystore "keytool-$kind.p12" -deststoretype PKCS12 -deststorepass "$ascii"
        case_ "keytool-$kind.p12" $kind 2 1 "$ascii"
        keytool -J-Dkeystore.pkcs12.legacy -importkeystore "${from[@]}" -destkeystore "keytool-legacy-$kind.p12" -deststoretype PKCS12 -deststorepass "$ascii"
        case_ "keytool-legacy-$kind.p12" $kind 2 1 "$ascii"
    done
    rm -f keytool-trust.p12
    keytool -importcert -noprompt -alias root -file root.crt -keystore keytool-trust.p12 -storetype PKCS12 -storepass "$ascii"
    keytool -importcert -noprompt -alias ec -file ec.crt -keystore keytool-trust.p12 -storetype PKCS12 -storepass "$ascii"
    case_ keytool-trust.p12 ec 2 0 "$ascii"
    # Bouncy Castle's own builders need a compiler, which a JRE does not have.
    if java --list-modules | grep -q '^jdk.compiler@'; then
        java -cp /usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar:/usr/share/java/bcpkix.jar "$here/Bc.java" . "$ascii" "$latin" "$emoji"
        for name in bc-aes-1 bc-3des-1; do case_ $name.p12 ec 2 1 "$ascii"; done
        for name in bc-aes-2 bc-3des-2; do case_ $name.p12 ec 2 1 "$latin"; done
        for name in bc-aes-3 bc-3des-3; do case_ $name.p12 ec 2 1 "$emoji"; done
    fi
} 2>"$work/java.log" >&2

# 600,000 iterations for each part since 3.7: few files, each takes a second.
gnutls() {
    local word index=0
    certtool --to-p12 --load-privkey rsa.key --load-certificate rsa.crt --load-ca-certificate root.crt --p12-name server \
        --password "$ascii" --outder --outfile certtool-default.p12
    case_ certtool-default.p12 rsa 2 1 "$ascii"
    certtool --to-p12 --load-privkey rsa.key --load-certificate rsa.crt --p12-name server --pkcs-cipher=rc2-40 \
        --password "$ascii" --outder --outfile certtool-rc2-40.p12
    case_ certtool-rc2-40.p12 rsa 1 1 "$ascii"
    for cipher in 3des-pkcs12 aes-256; do
        certtool --to-p8 --load-privkey rsa.key --password "$latin" --pkcs-cipher=$cipher --outfile "certtool-$cipher.pem"
        case_ "certtool-$cipher.pem" rsa 0 1 "$latin"
    done
    for word in "$emoji" --empty-password --null-password; do
        index=$((index + 1))
        local given=(--password "$word") said=$word
        [[ $word != --* ]] || given=("$word") said=
        certtool --to-p12 --load-privkey rsa.key --load-certificate rsa.crt --p12-name server --pkcs-cipher=3des-pkcs12 \
            "${given[@]}" --outder --outfile "certtool-word$index.p12"
        case_ "certtool-word$index.p12" rsa 1 1 "$said"
    done
    case_ certtool-word3.p12 rsa 1 1 -
} 2>"$work/gnutls.log" >/dev/null

botan_() {
    botan pkcs8 --pass-out="$ascii" rsa.key >botan-default.pem
    case_ botan-default.pem rsa 0 1 "$ascii"
    botan pkcs8 --pass-out="$latin" --pbe='PBES2(AES-256/CBC,SHA-512)' --pbe-millis=10 ec.key >botan-sha512.pem
    case_ botan-sha512.pem ec 0 1 "$latin"
    botan pkcs8 --pass-out="$ascii" --pbe='PBES2(AES-128/GCM,SHA-256)' --pbe-millis=10 --der-out ec.key >botan-gcm.der
    case_ botan-gcm.der ec 0 1 "$ascii"
    botan pkcs8 --pass-out="$ascii" --pbe='PBES2(AES-256/CBC,Scrypt)' --pbe-millis=10 ec.key >botan-scrypt.pem
    case_ botan-scrypt.pem ec 0 1 "$ascii"
}

identity
rm -f cases.tsv
openssl_
nss
java_ || { cat "$work/java.log" >&2; exit 1; }
gnutls || { cat "$work/gnutls.log" >&2; exit 1; }
botan_
/usr/bin/python3 "$here/make.py" "$ascii" "$latin" "$emoji"
NODE_PATH=$modules node "$here/make.js" "$ascii" "$latin" "$emoji"
sort -o cases.tsv cases.tsv
