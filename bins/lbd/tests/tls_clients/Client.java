import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/** Asks https://localhost:PORT with certificate and without, in TLS 1.2 and 1.3; says what it got, a line for each try. */
class Client {
    static final char[] NONE = "none".toCharArray();

    public static void main(String[] arguments) throws Exception {
        var uri = URI.create("https://localhost:" + arguments[0] + "/");
        var root = part(arguments[1], "CERTIFICATE");
        for (var version : List.of("TLSv1.2", "TLSv1.3")) {
            var client = client(version, root, arguments[2]);
            var answers = new ArrayList<String>();
            String spoken = null;
            for (var method : List.of("GET", "POST", "HEAD")) {
                var body = method.equals("POST") ? BodyPublishers.ofString("x".repeat(100_000)) : BodyPublishers.noBody();
                var request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).method(method, body).build();
                var answer = client.send(request, BodyHandlers.ofString());
                answers.add((answer.statusCode() + " " + answer.body()).trim());
                spoken = answer.sslSession().get().getProtocol() + " | " + answer.version();
            }
            System.out.println(spoken + " | " + String.join(" | ", answers));
            try {
                client(version, root, null).send(HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build(), BodyHandlers.ofString());
                System.out.println("let in");
            } catch (SSLException error) {
                System.out.println("refused " + error.getMessage());
            } catch (java.io.IOException error) {
                System.out.println("refused " + error.getClass().getSimpleName());
            }
        }
    }

    static HttpClient client(String version, byte[] root, String shown) throws Exception {
        var trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null);
        trusted.setCertificateEntry("root", certificate(root));
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        var keys = KeyManagerFactory.getInstance("PKIX");
        var own = KeyStore.getInstance("PKCS12");
        own.load(null);
        if (shown != null) {
            var key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(part(shown, "PRIVATE KEY")));
            own.setKeyEntry("own", key, NONE, new Certificate[] {certificate(part(shown, "CERTIFICATE"))});
        }
        keys.init(own, NONE);
        var context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        var parameters = new SSLParameters();
        parameters.setProtocols(new String[] {version});
        // Offers h2 as well as http/1.1.
        return HttpClient.newBuilder().sslContext(context).sslParameters(parameters).build();
    }

    static Certificate certificate(byte[] der) throws Exception {
        return CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
    }

    static byte[] part(String file, String label) throws Exception {
        var text = Files.readString(Path.of(file));
        var begin = "-----BEGIN " + label + "-----";
        var from = text.indexOf(begin) + begin.length();
        return Base64.getMimeDecoder().decode(text.substring(from, text.indexOf("-----END", from)));
    }
}
