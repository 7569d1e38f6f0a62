package dev.windhover.server.http1;

import dev.windhover.http.host.Sink;
import dev.windhover.server.net.TcpSink;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** The sink of a response: the connection's, except that its ends are those of the exchange. */
class Http1Body implements Sink {
  final Http1Exchange exchange;
  final TcpSink output;

  Http1Body(Http1Exchange exchange, TcpSink output) {
    this.exchange = exchange;
    this.output = output;
  }

  @Override
  public ByteBuffer reserve(int bytes) {
    return output.reserve(bytes);
  }

  @Override
  public void commit() {
    output.commit();
  }

  @Override
  public void write(ByteBuffer bytes) {
    output.write(bytes);
  }

  @Override
  public void write(ByteBuffer bytes, Runnable release) {
    output.write(bytes, release);
  }

  @Override
  public void writeFile(FileChannel file, long position, long count, Runnable release) {
    output.writeFile(file, position, count, release);
  }

  @Override
  public final void flush() {
    output.flush();
  }

  @Override
  public final long pending() {
    return output.pending();
  }

  @Override
  public final void mark(int bytes, Runnable belowAgain) {
    output.mark(bytes, belowAgain);
  }

  @Override
  public final long transmitted() {
    return output.transmitted();
  }

  @Override
  public final boolean isOpen() {
    return output.isOpen();
  }

  @Override
  public void end() {
    exchange.end();
  }

  @Override
  public final void abort() {
    exchange.abort();
  }
}
