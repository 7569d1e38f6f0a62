package dev.windhover.http.files;

import dev.windhover.http.files.StaticContent.Coding;
import dev.windhover.http.files.StaticContent.Variants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The files below a folder. */
final class FolderSource implements StaticFiles.Source {
  /**
   * A file that was written this recently may be written again without a new modification time:
   * FAT, the file system with the coarsest clock in use, has ticks of 2 seconds.
   */
  private static final Duration CLOCK_TICK = Duration.ofSeconds(2);

  private final Path root;

  FolderSource(Path folder) {
    try {
      root = folder.toRealPath();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "folder " + folder.toAbsolutePath() + " does not exist", e);
    }
    if (!Files.isDirectory(root)) {
      throw new IllegalArgumentException(root + " is not a folder");
    }
  }

  @Override
  public @Nullable Variants find(String name, Instant now) throws IOException {
    try {
      return find(root, root.resolve(name), now);
    } catch (InvalidPathException e) {
      FileNames.refused(name);
      return null; // not a valid name here
    }
  }

  /**
   * Returns {@code file} and its variants, if it is a file below {@code root}.
   *
   * @param root a real path
   */
  static @Nullable Variants find(Path root, Path file, Instant now) throws IOException {
    StaticContent plain = content(root, file, null, now);
    if (plain == null) {
      return null;
    }
    List<StaticContent> coded = new ArrayList<>(0);
    for (Coding coding : Coding.values()) {
      StaticContent variant =
          content(root, file.resolveSibling(file.getFileName() + coding.suffix), coding, now);
      // An older variant was not updated when the file was written.
      if (variant != null && !variant.lastModified().isBefore(plain.lastModified())) {
        coded.add(variant);
      }
    }
    return new Variants(plain, coded);
  }

  private static @Nullable StaticContent content(
      Path root, Path file, @Nullable Coding coding, Instant now) throws IOException {
    if (!Files.isRegularFile(file)) {
      return null;
    }
    try {
      Path real = file.toRealPath(); // a symbolic link may lead elsewhere, within the root
      if (!real.startsWith(root) || !Files.isReadable(real)) {
        return null;
      }
      BasicFileAttributes attributes = Files.readAttributes(real, BasicFileAttributes.class);
      Instant modified = attributes.lastModifiedTime().toInstant();
      Instant notInTheFuture = modified.isAfter(now) ? now : modified; // RFC 9110 8.8.2.1
      return new StaticContent(
          coding == null ? null : coding.token,
          attributes.size(),
          notInTheFuture.truncatedTo(ChronoUnit.SECONDS),
          tag(modified, attributes.size(), coding, now),
          (response, position, count) -> response.writeFile(real, position, count));
    } catch (NoSuchFileException e) {
      return null; // deleted in the meantime
    }
  }

  private static EntityTag tag(Instant modified, long size, @Nullable Coding coding, Instant now) {
    boolean mayChangeUnseen = modified.isAfter(now.minus(CLOCK_TICK));
    String opaque =
        "%x.%x-%x".formatted(modified.getEpochSecond(), modified.getNano(), size)
            + (coding == null ? "" : "-" + coding.token);
    return new EntityTag(mayChangeUnseen, opaque);
  }
}
