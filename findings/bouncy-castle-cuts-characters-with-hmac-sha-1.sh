#!/bin/sh
# Bouncy Castle derives the key of an encrypted PKCS#8 from the low byte of each character of the password when the function
# is HMAC-SHA-1, and from UTF-8 when it is any other.
#
# Seen with Bouncy Castle 1.72 (Debian 12, packages libbcprov-java and libbcpkix-java 1.72-2, openjdk-17) and OpenSSL 3.0:
# the password "t\u00e9st12\u20ac" given to JceOpenSSLPKCS8EncryptorBuilder opens the file as the seven bytes 74 e9 73 74
# 31 32 ac with PRF_HMACSHA1, and as UTF-8 with PRF_HMACSHA256. RFC 8018 leaves the encoding open and recommends UTF-8, so
# openssl and others are right to refuse the first with the password as it is typed; the euro sign even equals every other
# character whose number ends with AC.
# Fails when that changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
jars=/usr/share/java/bcprov.jar:/usr/share/java/bcpkix.jar:/usr/share/java/bcutil.jar
unzip -p /usr/share/java/bcprov.jar META-INF/MANIFEST.MF | grep Implementation-Version
openssl version
cat >Write.java <<'JAVA'
import java.io.FileWriter;
import java.security.KeyPairGenerator;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PKCS8Generator;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8EncryptorBuilder;

public class Write {
    static void write(String name, AlgorithmIdentifier function) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        JceOpenSSLPKCS8EncryptorBuilder builder = new JceOpenSSLPKCS8EncryptorBuilder(PKCS8Generator.AES_256_CBC);
        builder.setProvider(new BouncyCastleProvider());
        builder.setPRF(function);
        builder.setPassword("t\u00e9st12\u20ac".toCharArray());
        try (JcaPEMWriter writer = new JcaPEMWriter(new FileWriter(name))) {
            writer.writeObject(new JcaPKCS8Generator(generator.generateKeyPair().getPrivate(), builder.build()));
        }
    }

    public static void main(String[] words) throws Exception {
        write("sha1.pem", PKCS8Generator.PRF_HMACSHA1);
        write("sha256.pem", PKCS8Generator.PRF_HMACSHA256);
    }
}
JAVA
java -cp "$jars" Write.java
printf 't\303\251st12\342\202\254\n' >utf-8
printf 't\351st12\254\n' >low-bytes
opens() {
    if openssl pkcs8 -in "$1.pem" -passin "file:$2" -out key 2>errors; then echo "$1 opens with $2"; else echo "$1 stays shut with $2"; fi
}
for file in sha1 sha256; do
    for word in utf-8 low-bytes; do opens "$file" "$word"; done
done | tee seen
test "$(grep -c opens seen)" = 2
grep -qx 'sha1 opens with low-bytes' seen
grep -qx 'sha256 opens with utf-8' seen
