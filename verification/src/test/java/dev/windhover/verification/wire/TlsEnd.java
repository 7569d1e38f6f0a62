package dev.windhover.verification.wire;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * A client's TLS over a TCP connection, with the JDK's engine, which lets the test control every
 * byte and every end. Trusts every certificate.
 */
final class TlsEnd {
  private static final X509TrustManager EVERYBODY =
      new X509TrustManager() {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
          return new X509Certificate[0];
        }
      };

  private final SocketChannel channel;
  private final SSLEngine engine;

  /** What came and is not decrypted: from 0 to its position. */
  private ByteBuffer received = ByteBuffer.allocate(64 * 1024);

  private final ByteBuffer decrypted = ByteBuffer.allocate(64 * 1024).flip();

  /** What was encrypted and not sent. */
  private final ByteBuffer unsent = ByteBuffer.allocate(64 * 1024).flip();

  TlsEnd(SocketChannel channel, String protocol, String... alpn) throws IOException {
    this.channel = channel;
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {EVERYBODY}, new SecureRandom());
      engine = context.createSSLEngine("localhost", 443);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
    engine.setUseClientMode(true);
    engine.setEnabledProtocols(new String[] {protocol});
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setApplicationProtocols(alpn);
    engine.setSSLParameters(parameters);
    engine.beginHandshake();
  }

  /** Returns the first bytes that a client sends. */
  byte[] hello() throws SSLException {
    wrap(ByteBuffer.allocate(0));
    byte[] bytes = new byte[unsent.remaining()];
    unsent.get(bytes);
    return bytes;
  }

  /** Goes through the handshake, or the rest of it. */
  void handshake() throws IOException {
    while (true) {
      HandshakeStatus status = engine.getHandshakeStatus();
      switch (status) {
        case NEED_WRAP -> {
          wrap(ByteBuffer.allocate(0));
          flush();
        }
        case NEED_TASK -> engine.getDelegatedTask().run();
        case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
          if (!unwrap() && !receive()) {
            throw new AssertionError("the server ended the connection within the handshake");
          }
        }
        case NOT_HANDSHAKING, FINISHED -> {
          return;
        }
      }
    }
  }

  String applicationProtocol() {
    return engine.getApplicationProtocol();
  }

  X509Certificate certificate() throws SSLException {
    return (X509Certificate) engine.getSession().getPeerCertificates()[0];
  }

  // ---- Sending

  /** Sends some of {@code bytes}, all that the system takes at once if that does not block. */
  int write(ByteBuffer bytes) throws IOException {
    if (!flush()) {
      return 0;
    }
    int before = bytes.remaining();
    wrap(bytes);
    flush();
    return before - bytes.remaining();
  }

  private void wrap(ByteBuffer bytes) throws SSLException {
    unsent.compact();
    SSLEngineResult result = engine.wrap(bytes, unsent);
    unsent.flip();
    if (result.getStatus() == SSLEngineResult.Status.CLOSED && bytes.hasRemaining()) {
      throw new AssertionError("our side has ended");
    }
  }

  private boolean flush() throws IOException {
    while (unsent.hasRemaining()) {
      if (channel.write(unsent) == 0) {
        return false;
      }
    }
    return true;
  }

  /** Sends close_notify, without FIN. */
  void closeNotify() throws IOException {
    engine.closeOutbound();
    wrap(ByteBuffer.allocate(0));
    flush();
  }

  // ---- Reading

  private InputStream raw() throws IOException {
    return channel.socket().getInputStream();
  }

  private boolean receive() throws IOException {
    int n = raw().read(received.array(), received.position(), received.remaining());
    if (n < 0) {
      return false;
    }
    received.position(received.position() + n);
    return true;
  }

  /** Decrypts what has come; returns false if more has to come first. */
  private boolean unwrap() throws SSLException {
    received.flip();
    decrypted.compact();
    SSLEngineResult result;
    try {
      result = engine.unwrap(received, decrypted);
    } finally {
      received.compact();
      decrypted.flip();
    }
    if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
      engine.getDelegatedTask().run();
    }
    return result.getStatus() != SSLEngineResult.Status.BUFFER_UNDERFLOW;
  }

  /** Returns what was decrypted; its end is close_notify, and nothing else is one. */
  InputStream input() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        while (!decrypted.hasRemaining()) {
          if (engine.isInboundDone()) {
            return -1;
          }
          if (!unwrap() && !receive()) {
            throw new AssertionError("the server ended without close_notify");
          }
        }
        int n = Math.min(length, decrypted.remaining());
        decrypted.get(bytes, offset, n);
        return n;
      }
    };
  }

  /** Requires that FIN follows close_notify. */
  void expectFin() throws IOException {
    if (received.position() > 0 || raw().read() >= 0) {
      throw new AssertionError("more than close_notify came");
    }
  }
}
