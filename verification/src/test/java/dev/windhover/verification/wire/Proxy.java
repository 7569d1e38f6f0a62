package dev.windhover.verification.wire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A proxy between clients and a server on this machine, which passes bytes on as it is told to. */
public final class Proxy implements AutoCloseable {
  /** One direction of a connection, on a thread of its own. */
  public interface Way {
    /** Passes on until there is nothing more; when both have returned, the sockets are closed. */
    void pass(Socket from, Socket to) throws IOException;
  }

  private final ServerSocket listener;
  private volatile int server;
  private final Way there;
  private final Way back;

  /** Listens for the clients of a server's port. */
  public Proxy(int server, Way there, Way back) throws IOException {
    this.server = server;
    this.there = there;
    this.back = back;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  /** Returns the port to connect to. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Connects new clients with another server from now on. */
  public void forwardTo(int other) {
    server = other;
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
      client.setTcpNoDelay(true);
      upstream.setTcpNoDelay(true);
      upstream.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server));
      Thread behind = Thread.ofVirtual().start(() -> passBack(upstream, client));
      there.pass(client, upstream);
      behind.join();
    } catch (IOException e) {
      // one of them has gone, and takes the other along
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void passBack(Socket upstream, Socket client) {
    try {
      back.pass(upstream, client);
    } catch (IOException e) {
      // the other direction will see it, too
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
