package dev.windhover.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A file of which parts are being sent: they share it, and the last of them closes it. So an answer
 * of many ranges to a slow client holds one descriptor, and comes from one file even if another
 * takes its name.
 */
final class OpenFile {
  private final Path path;
  private final FileChannel channel;
  private final AtomicInteger users = new AtomicInteger(1);

  private OpenFile(Path path) throws IOException {
    this.path = path;
    this.channel = FileChannel.open(path);
  }

  /**
   * Opens the file, for one use more, unless {@code last} is the same and still open.
   *
   * @throws java.nio.file.FileSystemException if it cannot be opened
   */
  static OpenFile of(Path path, @Nullable OpenFile last) throws IOException {
    boolean shared =
        last != null
            && last.path.equals(path)
            && last.users.getAndUpdate(users -> users == 0 ? 0 : users + 1) > 0;
    return last != null && shared ? last : new OpenFile(path);
  }

  FileChannel channel() {
    return channel;
  }

  /** One use has ended. */
  void release() {
    if (users.decrementAndGet() == 0) {
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
