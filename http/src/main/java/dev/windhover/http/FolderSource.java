package dev.windhover.http;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The files below a folder. */
final class FolderSource implements StaticFiles.Source {
  private final Path root;

  FolderSource(Path folder) {
    try {
      root = folder.toRealPath();
    } catch (IOException e) {
      throw new IllegalArgumentException("folder " + folder.toAbsolutePath() + " is not there", e);
    }
    if (!Files.isDirectory(root)) {
      throw new IllegalArgumentException(root + " is not a folder");
    }
  }

  @Override
  public StaticFiles.@Nullable Content find(String name) throws IOException {
    try {
      Path file = root.resolve(name);
      if (!Files.isRegularFile(file)) {
        return null;
      }
      Path real = file.toRealPath(); // a symbolic link may lead elsewhere, within the root
      return real.startsWith(root) && Files.isReadable(real)
          ? new File(real, Files.size(real))
          : null;
    } catch (InvalidPathException | NoSuchFileException e) {
      return null; // no name here, or gone in between
    }
  }

  private record File(Path path, long length) implements StaticFiles.Content {
    @Override
    public void writeTo(HttpResponse response) throws IOException {
      response.writeFile(path, 0, length);
    }
  }
}
