package dev.windhover.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A file of which parts are being sent. The parts share it, and the last one closes it. So a
 * response of many ranges to a slow client holds only one descriptor, and all ranges come from the
 * same file, even if another file takes its name.
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
   * Returns {@code last} for one more use if it is this file and still open; otherwise opens the
   * file.
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

  /** Ends one use. The last use closes the file. */
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
