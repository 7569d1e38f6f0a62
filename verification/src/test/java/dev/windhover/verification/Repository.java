package dev.windhover.verification;

import java.nio.file.Files;
import java.nio.file.Path;

/** The folder that holds everything. */
public final class Repository {
  private Repository() {}

  /** Returns it. */
  public static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (Files.notExists(folder.resolve(".mvn"))) {
      folder = folder.getParent();
      if (folder == null) {
        throw new IllegalStateException("not inside the repository");
      }
    }
    return folder;
  }
}
