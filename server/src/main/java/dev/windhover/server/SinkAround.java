package dev.windhover.server;

import dev.windhover.http.host.Sink;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A sink that passes on to another what it does not do itself. */
abstract class SinkAround implements Sink {
  final Sink inner;

  SinkAround(Sink inner) {
    this.inner = inner;
  }

  @Override
  public ByteBuffer reserve(int bytes) {
    return inner.reserve(bytes);
  }

  @Override
  public void commit() {
    inner.commit();
  }

  @Override
  public void write(ByteBuffer bytes) {
    inner.write(bytes);
  }

  @Override
  public void write(ByteBuffer bytes, Runnable release) {
    inner.write(bytes, release);
  }

  @Override
  public void writeFile(FileChannel file, long position, long count, Runnable release) {
    inner.writeFile(file, position, count, release);
  }

  @Override
  public void flush() {
    inner.flush();
  }

  @Override
  public long pending() {
    return inner.pending();
  }

  @Override
  public void mark(int bytes, Runnable belowAgain) {
    inner.mark(bytes, belowAgain);
  }

  @Override
  public long transmitted() {
    return inner.transmitted();
  }

  @Override
  public boolean isOpen() {
    return inner.isOpen();
  }

  @Override
  public void end() {
    inner.end();
  }

  @Override
  public void abort() {
    inner.abort();
  }
}
