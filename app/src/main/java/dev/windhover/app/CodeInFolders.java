package dev.windhover.app;

import dev.windhover.http.host.Loggers;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.stream.Stream;
import org.slf4j.Logger;

/**
 * Loads the library's classes at the start, if they are files in folders, as they are during
 * development. To load one takes a file descriptor. A class that is first needed when the process
 * has none left could never be loaded again, and sockets would end without anybody noticing. Jars
 * are open already.
 */
final class CodeInFolders {
  private static final Logger log = Loggers.get(CodeInFolders.class);
  private static final String CLASS = ".class";

  private CodeInFolders() {}

  /** Loads all classes from the folders in which these classes are. */
  static void load(Class<?>... anchors) {
    for (Class<?> anchor : anchors) {
      CodeSource source = anchor.getProtectionDomain().getCodeSource();
      if (source != null && source.getLocation().getPath().endsWith("/")) {
        try {
          load(Path.of(source.getLocation().toURI()), anchor);
        } catch (IOException | URISyntaxException | ClassNotFoundException | LinkageError e) {
          log.debug("classes of {} were not loaded at the start: {}", source, e.toString());
        }
      }
    }
  }

  private static void load(Path root, Class<?> anchor) throws IOException, ClassNotFoundException {
    Path ours = root.resolve(anchor.getPackageName().replace('.', File.separatorChar));
    try (Stream<Path> files = Files.walk(ours)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = root.relativize(file).toString();
        if (name.endsWith(CLASS) && !name.endsWith("-info.class")) {
          String binary = name.substring(0, name.length() - CLASS.length());
          Class.forName(binary.replace(File.separatorChar, '.'), false, anchor.getClassLoader());
        }
      }
    }
  }
}
