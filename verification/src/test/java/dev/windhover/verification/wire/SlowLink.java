package dev.windhover.verification.wire;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/**
 * Stands in for a slow network: takes a server's bytes at a given rate, steadily, and keeps few of
 * them. The client's bytes pass at once.
 */
public final class SlowLink implements AutoCloseable {
  private static final int PIECES_PER_SECOND = 20;
  private static final int SMALLEST_BUFFER = 4 * 1024;
  private static final int LARGEST_BUFFER = 64 * 1024;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private final ServerSocket listener;
  private final InetSocketAddress server;
  private final int bytesPerSecond;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile boolean stopped;

  /** A link to a server's port on this machine. */
  public SlowLink(int server, int bytesPerSecond) throws IOException {
    this(
        InetAddress.getLoopbackAddress(),
        new InetSocketAddress(InetAddress.getLoopbackAddress(), server),
        bytesPerSecond);
  }

  private SlowLink(InetAddress at, InetSocketAddress server, int bytesPerSecond)
      throws IOException {
    this.server = server;
    this.bytesPerSecond = bytesPerSecond;
    this.listener = new ServerSocket(0, 50, at);
    Thread.ofVirtual().start(this::accept);
  }

  /**
   * A link in a process of its own, which may be in another network namespace.
   *
   * @param args where it listens, the server's address and port, and the rate; prints its own port
   */
  public static void main(String[] args) throws IOException {
    var server = new InetSocketAddress(args[1], Integer.parseInt(args[2]));
    try (var link =
        new SlowLink(InetAddress.getByName(args[0]), server, Integer.parseInt(args[3]))) {
      System.out.println(link.port());
      System.in.transferTo(OutputStream.nullOutputStream()); // until whoever started it has ended
    }
  }

  /** Returns the port to connect to. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Takes nothing more from now on. */
  public void stopTaking() {
    stopped = true;
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        Thread.ofVirtual().start(() -> serve(client));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket upstream = new Socket()) {
      sockets.add(client);
      sockets.add(upstream);
      client.setTcpNoDelay(true);
      upstream.setTcpNoDelay(true);
      upstream.setReceiveBufferSize(
          Math.clamp(bytesPerSecond / 4, SMALLEST_BUFFER, LARGEST_BUFFER));
      upstream.connect(server);
      Thread back = Thread.ofVirtual().start(() -> passBack(upstream, client));
      client.getInputStream().transferTo(upstream.getOutputStream());
      upstream.shutdownOutput();
      back.join();
    } catch (IOException e) {
      // one of them has gone, and takes the other along
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void passBack(Socket upstream, Socket client) {
    try {
      InputStream in = upstream.getInputStream();
      OutputStream out = client.getOutputStream();
      byte[] piece = new byte[Math.max(1, bytesPerSecond / PIECES_PER_SECOND)];
      long due = System.nanoTime();
      for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
        if (stopped) {
          closed.await();
        }
        out.write(piece, 0, n);
        due = Math.max(due, System.nanoTime() - NANOS_PER_SECOND);
        due += n * NANOS_PER_SECOND / bytesPerSecond;
        for (long left; (left = due - System.nanoTime()) > 0; ) {
          LockSupport.parkNanos(left);
        }
      }
      client.shutdownOutput();
    } catch (IOException e) {
      close(upstream);
      close(client); // as the server has dropped its side
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // it was
    }
  }

  @Override
  public void close() {
    closed.countDown();
    sockets.forEach(SlowLink::close);
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
