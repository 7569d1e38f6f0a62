package dev.windhover.server.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.DefaultFileRegion;
import java.io.IOException;
import java.nio.channels.FileChannel;

/** A part of a file that its owner has opened, and closes after the release. */
final class FilePart extends DefaultFileRegion {
  private final FileChannel file;
  private final Runnable release;

  FilePart(FileChannel file, long position, long count, Runnable release) {
    super(file, position, count);
    this.file = file;
    this.release = release;
  }

  /**
   * Reads bytes from {@code from} on, counted from its beginning; returns how many, -1 for none.
   */
  int read(ByteBuf into, long from, int most) throws IOException {
    return into.writeBytes(file, position() + from, most);
  }

  @Override
  protected void deallocate() {
    release.run();
  }
}
