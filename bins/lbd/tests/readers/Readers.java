import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.logging.LogManager;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

/** Tomcat, as strict as it comes on the first port and as lenient as it can be on the second: answers with the letter of its servlet. */
public class Readers {
    public static void main(String[] arguments) throws Exception {
        LogManager.getLogManager().reset();
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(arguments[0]);
        Context context = tomcat.addContext("", arguments[0]);
        String[][] places = {{"R", "/*"}, {"A", "/admin/*"}, {"P", "/public/*"}, {"S", "/public/secret/*"}};
        for (String[] place : places) {
            Tomcat.addServlet(context, place[0], new Letter(place[0]));
            context.addServletMappingDecoded(place[1], place[0]);
        }
        for (int index = 1; index < 3; index++) {
            Connector connector = new Connector();
            connector.setPort(Integer.parseInt(arguments[index]));
            connector.setProperty("address", "127.0.0.1");
            connector.setProperty("maxKeepAliveRequests", "-1");
            connector.setProperty("keepAliveTimeout", "600000");
            if (index == 2) {
                connector.setEncodedSolidusHandling("decode");
                connector.setAllowBackslash(true);
                connector.setProperty("relaxedPathChars", "[]|^");
            }
            tomcat.getService().addConnector(connector);
        }
        tomcat.start();
        tomcat.getServer().await();
    }

    private static final class Letter extends HttpServlet {
        private final String letter;

        Letter(String letter) {
            this.letter = letter;
        }

        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
            response.setContentLength(1);
            response.getOutputStream().print(letter);
        }
    }
}
