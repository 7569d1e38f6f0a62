package dev.windhover.verification.wire;

import java.io.IOException;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A proxy between clients and a server on this machine, which cuts its connections when asked. */
public final class CuttingProxy implements AutoCloseable {
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final Proxy proxy;

  /** Listens for the clients of a server's port. */
  public CuttingProxy(int server) throws IOException {
    this.proxy = new Proxy(server, this::pass, this::pass);
  }

  /** Returns the port to connect to. */
  public int port() {
    return proxy.port();
  }

  /** Connects new clients with another server from now on. */
  public void forwardTo(int server) {
    proxy.forwardTo(server);
  }

  /** Resets all connections, on both sides; new ones get through. */
  public void cut() {
    for (Socket socket : open) {
      try {
        socket.setSoLinger(true, 0);
        socket.close();
      } catch (IOException e) {
        // it has ended by itself meanwhile
      }
    }
  }

  private void pass(Socket from, Socket to) throws IOException {
    open.add(from);
    try {
      from.getInputStream().transferTo(to.getOutputStream());
      to.shutdownOutput();
    } finally {
      open.remove(from);
    }
  }

  @Override
  public void close() {
    proxy.close();
    cut();
  }
}
