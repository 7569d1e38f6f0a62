package dev.windhover.http.files;

import dev.windhover.http.host.Loggers;
import java.nio.charset.Charset;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;

/**
 * Which names of files this JVM can represent. It encodes them with the locale's encoding, which
 * cannot be changed while it runs; in the locale {@code C}, that is ASCII.
 */
final class FileNames {
  private static final Logger log = Loggers.get(StaticFiles.class);
  private static final Charset encoding = Charset.forName(System.getProperty("sun.jnu.encoding"));
  private static final AtomicBoolean warned = new AtomicBoolean();

  private FileNames() {}

  /** The file system has refused {@code name}: tells the operator, once, if it is the locale's. */
  static void refused(String name) {
    if (!encoding.newEncoder().canEncode(name) && warned.compareAndSet(false, true)) {
      log.warn(
          "files like {} are answered with 404: their names cannot be encoded in {};"
              + " start Java in a UTF-8 locale, for example with LC_ALL=C.UTF-8",
          name,
          encoding);
    }
  }
}
