import java.io.FileReader;
import java.nio.file.*;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.*;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.OutputEncryptor;
import org.bouncycastle.pkcs.*;
import org.bouncycastle.pkcs.jcajce.*;

/** What Bouncy Castle's PfxPdu builders write: Bc FOLDER WORD.. */
public class Bc {
    public static void main(String[] arguments) throws Exception {
        Path folder = Paths.get(arguments[0]);
        var provider = new BouncyCastleProvider();
        PrivateKeyInfo key;
        try (var parser = new PEMParser(new FileReader(folder.resolve("ec.key").toFile()))) {
            key = (PrivateKeyInfo) parser.readObject();
        }
        for (int word = 1; word < arguments.length; word++) {
            // The words come as UTF-8 whatever the language of the machine is.
            char[] password = arguments[word].toCharArray();
            for (ASN1ObjectIdentifier scheme : new ASN1ObjectIdentifier[] {
                    NISTObjectIdentifiers.id_aes256_CBC, PKCSObjectIdentifiers.pbeWithSHAAnd3_KeyTripleDES_CBC}) {
                OutputEncryptor encryptor = new JcePKCSPBEOutputEncryptorBuilder(scheme).setProvider(provider)
                        .setIterationCount(2000).build(password);
                var safe = new PKCS12PfxPduBuilder();
                safe.addEncryptedData(encryptor, new PKCS12SafeBag[] {bag(folder, "ec.crt"), bag(folder, "root.crt")});
                safe.addData(new PKCS12SafeBagBuilder(key, encryptor).build());
                var mac = new JcePKCS12MacCalculatorBuilder(NISTObjectIdentifiers.id_sha256).setProvider(provider);
                String name = scheme.equals(NISTObjectIdentifiers.id_aes256_CBC) ? "bc-aes-" : "bc-3des-";
                Files.write(folder.resolve(name + word + ".p12"), safe.build(mac, password).getEncoded());
            }
        }
    }

    private static PKCS12SafeBag bag(Path folder, String name) throws Exception {
        try (var parser = new PEMParser(new FileReader(folder.resolve(name).toFile()))) {
            return new PKCS12SafeBagBuilder((X509CertificateHolder) parser.readObject()).build();
        }
    }
}
