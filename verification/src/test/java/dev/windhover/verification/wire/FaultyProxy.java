package dev.windhover.verification.wire;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.concurrent.locks.LockSupport;

/**
 * A proxy between clients and a server on this machine, which does to the client's bytes what a
 * network might do: each connection suffers one fault at one place.
 */
public final class FaultyProxy implements AutoCloseable {
  /** What happens to the connection, when the server has been sent a number of bytes. */
  public enum Fault {
    /** Nothing; but every byte is sent by itself. */
    SPLIT,
    /** All that follows comes a while later, and together. */
    DELAY,
    /** Both sides see an end in order, and the server's words go nowhere. */
    CUT,
    /** The server sees the end of the client's side, and may go on. */
    HALF_CLOSE,
    /** Both sides see a reset. */
    RESET
  }

  private static final long DELAY_NANOS = 20_000_000;
  private static final int PIECE_BYTES = 16 * 1024;

  private final Fault fault;
  private final int place;
  private final Proxy proxy;

  /** Listens for the clients of a server's port; {@code place} counts the client's bytes. */
  public FaultyProxy(int server, Fault fault, int place) throws IOException {
    this.fault = fault;
    this.place = place;
    this.proxy = new Proxy(server, this::forward, FaultyProxy::copyBack);
  }

  /** Returns the port to connect to. */
  public int port() {
    return proxy.port();
  }

  private void forward(Socket client, Socket upstream) throws IOException {
    InputStream in = client.getInputStream();
    OutputStream out = upstream.getOutputStream();
    byte[] first = in.readNBytes(place);
    if (fault == Fault.SPLIT) {
      for (byte b : first) {
        out.write(b);
      }
    } else {
      out.write(first);
    }
    switch (fault) {
      case SPLIT -> in.transferTo(out);
      case DELAY -> {
        LockSupport.parkNanos(DELAY_NANOS);
        in.transferTo(out);
      }
      case CUT -> {
        upstream.shutdownOutput(); // closing it, with bytes unread, would be a reset
        client.close();
      }
      case HALF_CLOSE -> upstream.shutdownOutput();
      case RESET -> {
        upstream.setSoLinger(true, 0);
        client.setSoLinger(true, 0);
        upstream.close();
        client.close();
      }
    }
    if (fault == Fault.SPLIT || fault == Fault.DELAY) {
      upstream.shutdownOutput();
    }
  }

  private static void copyBack(Socket upstream, Socket client) {
    byte[] piece = new byte[PIECE_BYTES];
    try {
      InputStream in = upstream.getInputStream();
      OutputStream out = client.getOutputStream();
      for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
        if (!client.isClosed()) {
          out.write(piece, 0, n);
        }
      }
      client.shutdownOutput();
    } catch (IOException e) {
      drain(upstream);
    }
  }

  private static void drain(Socket upstream) {
    try {
      upstream.getInputStream().transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // that was its end, too
    }
  }

  @Override
  public void close() {
    proxy.close();
  }
}
