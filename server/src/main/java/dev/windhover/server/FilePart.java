package dev.windhover.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.DefaultFileRegion;
import io.netty.util.AbstractReferenceCounted;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCounted;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A part of an open file. Parts that wait together share the file, and the last of them closes it:
 * an answer of many ranges to a slow client holds one descriptor, and comes from one file even if
 * another takes its name.
 */
final class FilePart extends DefaultFileRegion {
  private static final class OpenFile extends AbstractReferenceCounted {
    final Path path;
    final FileChannel channel;

    OpenFile(Path path) throws IOException {
      this.path = path;
      this.channel = FileChannel.open(path);
    }

    @Override
    protected void deallocate() {
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public ReferenceCounted touch(Object hint) {
      return this;
    }
  }

  private final OpenFile file;

  private FilePart(OpenFile file, long position, long count) {
    super(file.channel, position, count);
    this.file = file;
  }

  /**
   * Opens the file, unless {@code last} is a part of it that has not been sent yet.
   *
   * @throws java.nio.file.FileSystemException if it cannot be opened
   */
  static FilePart of(Path path, long position, long count, @Nullable FilePart last)
      throws IOException {
    if (last != null && last.file.path.equals(path)) {
      try {
        last.file.retain();
        return new FilePart(last.file, position, count);
      } catch (IllegalReferenceCountException e) {
        // sent and closed, by the loop
      }
    }
    return new FilePart(new OpenFile(path), position, count);
  }

  /** Reads what stands {@code from} bytes behind its beginning; returns how much, -1 for none. */
  int read(ByteBuf into, long from, int most) throws IOException {
    return into.writeBytes(file.channel, position() + from, most);
  }

  @Override
  protected void deallocate() {
    file.release();
  }
}
