import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.AbstractMongoBackend;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** A server of MongoDB's protocol for tests: Main PORT [FILE]; prints its address, ends when its standard input does. */
public class Main {
  /** The driver needs wire version 9 at least, which none of the built-in versions answers. */
  record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {}

  public static void main(String[] arguments) throws Exception {
    AbstractMongoBackend backend = arguments.length > 1 ? new H2Backend(arguments[1]) : new MemoryBackend();
    backend.version(new Version(List.of(5, 0, 0), 13));
    MongoServer server = new MongoServer(backend);
    server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
    System.out.println(server.getConnectionString());
    while (System.in.read() >= 0) { }
    server.shutdownNow();
    System.exit(0);
  }
}
