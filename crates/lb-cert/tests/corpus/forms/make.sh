#!/bin/sh
# Makes the files of this folder anew in the folder named by $1: keys and certificates made for these tests, in the
# formats of other programs. All passwords are "tigers".
set -eu
mkdir -p "$1"
cd "$1"
word=tigers
quiet() { "$@" >/dev/null 2>&1; }

# A root, and a server's certificate under it with its key.
quiet openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj '/CN=Forms Root' -days 36500
quiet openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj '/CN=www.example.com'
printf 'subjectAltName=DNS:www.example.com\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,emailProtection\n' >ext
quiet openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 36500 -extfile ext -out leaf.pem
quiet openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile ca.pem -name www -passout pass:$word -out server.p12

# Java and Bouncy Castle.
java() { quiet keytool -importkeystore -srckeystore server.p12 -srcstorepass $word -destkeystore "$1" -deststoretype "$2" -deststorepass $word $3; }
java server.jks JKS ''
java server.jceks JCEKS ''
quiet keytool -importcert -noprompt -alias root -file ca.pem -keystore server.jks -storetype JKS -storepass $word
quiet keytool -importcert -noprompt -alias root -file ca.pem -keystore trust.jks -storetype JKS -storepass $word
quiet keytool -importcert -noprompt -alias root -file ca.pem -keystore trust.jceks -storetype JCEKS -storepass $word
cp server.jceks secret.jceks
quiet keytool -genseckey -alias secret -keyalg AES -keysize 128 -keystore secret.jceks -storetype JCEKS -storepass $word -keypass $word
quiet keytool -genseckey -alias secret -keyalg AES -keysize 128 -keystore secret.p12 -storetype PKCS12 -storepass $word
castle='-providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath /usr/share/java/bcprov.jar'
java server.bks BKS "$castle"
java server.uber UBER "$castle"
java server.bcfks BCFKS "$castle"
base64 server.jks >jks.base64

# SSH.
for kind in rsa ecdsa ed25519; do
    ssh-keygen -q -t $kind -N '' -C you@example -f ssh-$kind
    ssh-keygen -q -t $kind -N $word -C you@example -f ssh-$kind-locked
done
ssh-keygen -q -s ssh-rsa -I id -n you ssh-ed25519.pub
ssh-keygen -e -f ssh-rsa.pub >ssh2.pub
printf $word >word
puttygen ssh-rsa -O private -o rsa.ppk
puttygen ssh-ed25519 -O private -o ed25519.ppk
puttygen ssh-ecdsa -O private --new-passphrase word -o ecdsa-locked.ppk
cat leaf.pem ssh-ecdsa >ssh-in-heap.pem
cat leaf.pem ssh-ed25519-locked >ssh-locked-in-heap.pem

# Text around PEM.
cfssl selfsign www.example.com - 2>/dev/null >cfssl.json <<EOF
{"hosts":["www.example.com"],"CN":"www","key":{"algo":"ecdsa","size":256}}
EOF
kubectl create secret tls web --cert leaf.pem --key leaf.key --dry-run=client -o yaml >secret.yaml
kubectl create secret tls web --cert leaf.pem --key leaf.key --dry-run=client -o json >secret.json
node -e 'process.stdout.write(JSON.stringify(require("crypto").createPrivateKey(require("fs").readFileSync("leaf.key")).export({format:"jwk"})))' >key.jwk
base64 leaf.pem >pem.base64
printf 'hello\n' >text
openssl smime -sign -in text -signer leaf.pem -inkey leaf.key -certfile ca.pem -from a@example.com -to b@example.com -subject x -out signed.eml
openssl smime -sign -nodetach -in text -signer leaf.pem -inkey leaf.key -certfile ca.pem -from a@example.com -to b@example.com -subject x -out opaque.eml
sed 's/$/\r/' signed.eml >signed-crlf.eml
openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj '/CN=rsa' -days 36500 2>/dev/null
openssl smime -encrypt -aes256 -in text -from a@example.com -to b@example.com -subject x -out locked.eml rsa.pem
python3 - <<'EOF'
from email.message import EmailMessage
m = EmailMessage()
m["From"], m["To"], m["Subject"] = "a@example.com", "b@example.com", "Your certificate"
m.set_content("Here it is.")
m.add_attachment(open("leaf.pem", "rb").read(), maintype="application", subtype="x-pem-file", filename="leaf.pem")
open("attached.eml", "wb").write(bytes(m))
body = "".join(open("leaf.pem").read().splitlines()[1:-1])
open("saml.xml", "w").write('<?xml version="1.0"?>\n<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
    'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>\n<ds:X509Certificate>\n%s\n%s\n</ds:X509Certificate>\n'
    '</ds:X509Data></md:EntityDescriptor>\n' % (body[:76], body[76:]))
EOF
openssl crl2pkcs7 -nocrl -certfile leaf.pem -certfile ca.pem | sed 's/PKCS7/CERTIFICATE/' >pkcs7-as-certificate.pem
openssl x509 -in leaf.pem -noout -text >description.txt
printf '<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n' >error.html
printf '{"error":"not found"}\n' >error.json
printf 'pkcs11:token=web;object=key;type=private\n' >uri.txt

# OpenPGP.
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-gen-key you@example ed25519 2>/dev/null
gpg --armor --export-secret-keys >pgp-private.asc
gpg --export-secret-keys >pgp-private.bin
gpg --armor --export >pgp-public.asc
gpg --export >pgp-public.bin
quiet gpgconf --kill all
rm -rf "$GNUPGHOME"

# Archives.
tar -cf server.tar --owner=0 --group=0 leaf.pem leaf.key
gzip -nc server.tar >server.tgz
gzip -nc leaf.pem >leaf.pem.gz
bzip2 -c leaf.pem >leaf.pem.bz2
xz -c leaf.pem >leaf.pem.xz
zstd -qc leaf.pem >leaf.pem.zst
python3 -m zipfile -c server.zip leaf.pem leaf.key
quiet 7z a server.7z leaf.pem leaf.key
quiet ansible-vault encrypt --vault-password-file word --output vault.yml leaf.key

# Microsoft's keys, and encryptions of keys that no library here has.
quiet openssl rsa -in rsa.key -outform PVK -pvk-none -out rsa.pvk
quiet openssl rsa -in rsa.key -outform MSBLOB -out rsa.blob
old='-provider legacy -provider default'
lock() { openssl pkcs8 -topk8 -in leaf.key -passout pass:$word $old "$@"; }
lock -v1 PBE-MD5-DES -out md5-des.key
lock -v1 PBE-MD5-DES -outform DER -out md5-des.der
base64 md5-des.der >md5-des.base64
lock -v2 camellia-256-cbc -out camellia.key
lock -v2 aria-256-cbc -out aria.key
lock -v2 des-cbc -out des.key
lock -v2 rc2 -out rc2.key
lock -v1 PBE-SHA1-RC4-128 -out rc4.key
lock -v1 PBE-SHA1-RC4-128 -outform DER -out rc4.der
base64 rc4.der >rc4.base64
openssl rsa -in rsa.key -traditional -des -passout pass:$word $old -out des-traditional.key 2>/dev/null
openssl ec -in leaf.key -des -passout pass:$word $old -out des-traditional-ec.key 2>/dev/null
quiet openssl rsa -in rsa.key -traditional -camellia128 -passout pass:$word -out camellia-traditional.key
quiet openssl ec -in leaf.key -camellia128 -passout pass:$word -out camellia-traditional-ec.key
quiet openssl dsaparam -genkey -out dsa.key 1024
quiet openssl dsa -in dsa.key -camellia128 -passout pass:$word -out camellia-traditional-dsa.key
quiet openssl genrsa -primes 3 -out primes.key 2048
store() { openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile ca.pem -passout pass:$word "$@"; }
store -legacy -keypbe PBE-SHA1-RC4-128 -certpbe PBE-SHA1-RC4-128 -out rc4.p12
store -legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-128 -out rc2-128.p12
store -keypbe camellia-256-cbc -certpbe camellia-256-cbc -out camellia.p12
store -legacy -keypbe des-cbc -certpbe des-cbc -out des.p12
store -macalg sha3-256 -out sha3-mac.p12
{ echo -----BEGIN PKCS12-----; base64 -w 64 rc4.p12; echo -----END PKCS12-----; } >rc4.p12.pem
base64 rc4.p12 >rc4.p12.base64

# Kinds of CMS without certificates, and a structure that is nothing of ours.
for form in DER PEM; do
    case $form in DER) end= ;; PEM) end=.pem ;; esac
    openssl cms -data_create -in leaf.pem -outform $form -out data.p7$end
    openssl cms -encrypt -aes256 -in leaf.pem -outform $form -out locked.p7$end rsa.pem
    openssl cms -digest_create -in leaf.pem -outform $form -out digested.p7$end
done
for file in data.p7 locked.p7 digested.p7; do
    base64 $file >$file.base64
done
quiet openssl ts -query -data leaf.pem -cert -out query.tsq
rm -f dsa.key ext text word leaf.csr ca.key ./*-locked.pub ssh-ecdsa.pub ssh-rsa.pub
