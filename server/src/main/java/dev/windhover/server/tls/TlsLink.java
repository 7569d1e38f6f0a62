package dev.windhover.server.tls;

import dev.windhover.http.host.Loggers;
import dev.windhover.server.net.Link;
import dev.windhover.server.net.Stoppable;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The TLS of a connection, after Netty's handler: waits for the handshake, and reports the end of
 * the peer's side as if it were TCP's. Loop only.
 *
 * <p>A peer ends its side with close_notify (RFC 8446 6.1). In TLS 1.3 our side stays open. In TLS
 * 1.2, and with BoringSSL in any version, the engine has ended our side too, so the connection is
 * closed. A FIN without close_notify may be an attacker's: {@link #isTruncated()}.
 */
public final class TlsLink extends ChannelDuplexHandler implements Link, Stoppable {
  private static final Logger log = Loggers.get(TlsLink.class);

  private final SslHandler ssl;
  private final BiConsumer<TlsLink, String> onHandshake;

  private @Nullable ChannelHandlerContext transport;
  private @Nullable String version;
  private boolean handshaken;
  private boolean failed;
  private boolean inputEnded;
  private boolean truncated;
  private boolean outputEnded;

  /**
   * Creates one, to be added to the pipeline after {@code ssl}.
   *
   * @param onHandshake run when the handshake is done, with the protocol that was agreed upon (RFC
   *     7301): HTTP/1.1 with a client that names none
   */
  public TlsLink(SslHandler ssl, BiConsumer<TlsLink, String> onHandshake) {
    this.ssl = ssl;
    this.onHandshake = onHandshake;
  }

  // ---- From Netty

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    transport = ctx.pipeline().context(ssl);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      handshakeDone(ctx, handshake.cause());
    } else if (event instanceof SslCloseCompletionEvent close && close.isSuccess()) {
      // This event comes before the end of the batch of the last bytes.
      ctx.fireChannelReadComplete();
      inputEnds(ctx);
      if (ssl.engine().isOutboundDone() && ctx.channel().isActive()) {
        ctx.flush();
        transport().close();
      }
    } else if (event == ChannelInputShutdownEvent.INSTANCE) {
      truncated = !inputEnded;
      inputEnds(ctx);
    }
  }

  private void handshakeDone(ChannelHandlerContext ctx, @Nullable Throwable cause) {
    if (cause == null) {
      handshaken = true;
      version = ssl.engine().getSession().getProtocol();
      String protocol = ssl.applicationProtocol();
      onHandshake.accept(this, protocol == null ? ApplicationProtocolNames.HTTP_1_1 : protocol);
    } else {
      fail(ctx, cause);
    }
  }

  private void inputEnds(ChannelHandlerContext ctx) {
    if (inputEnded) {
      return;
    }
    inputEnded = true;
    if (handshaken) {
      ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    } else {
      transport().close();
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (handshaken) {
      ctx.fireExceptionCaught(cause);
    } else {
      fail(ctx, cause);
      transport().close();
    }
  }

  /** Logs one line at debug level: it is seldom the fault of the server. */
  private void fail(ChannelHandlerContext ctx, Throwable cause) {
    if (!failed) {
      failed = true;
      Throwable fault = cause.getCause() == null ? cause : cause.getCause();
      log.debug(
          "TLS handshake with {} failed: {}", ctx.channel().remoteAddress(), fault.toString());
    }
  }

  // ---- The link

  @Override
  public String scheme() {
    return "https";
  }

  @Override
  public @Nullable String tls() {
    return version;
  }

  /** False, because they have to be encrypted. */
  @Override
  public boolean sendsFiles() {
    return false;
  }

  @Override
  public void write(Channel channel, Object message, ChannelPromise promise) {
    channel.write(message, promise);
  }

  @Override
  public void flush(Channel channel) {
    channel.flush();
  }

  @Override
  public boolean isTruncated() {
    return truncated;
  }

  /**
   * Sends close_notify, then FIN, because some clients wait for one and some for the other. What
   * comes until the peer's FIN is dropped before it is decrypted. An engine that has ended both
   * sides would leave it unread, and a close would then be a reset, which could overtake our last
   * bytes.
   */
  @Override
  public void endOutput(Channel channel) {
    outputEnded = true;
    channel.pipeline().addFirst(Drop.INSTANCE);
    ssl.closeOutbound()
        .addListener(told -> {
          if (channel.isActive()) {
            ((DuplexChannel) channel).shutdownOutput();
          }
        });
  }

  /** Drops the connection without close_notify, which would mean that everything was sent. */
  @Override
  public void abort(Channel channel) {
    Link.resetAtClose(channel);
    transport().close();
  }

  /**
   * Closes at once, as TCP would, and before that sends close_notify if everything that was written
   * has left and the end is not a reset.
   */
  @Override
  public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
    Channel channel = ctx.channel();
    ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
    boolean isComplete = buffer != null && buffer.isEmpty();
    if (handshaken && !outputEnded && isComplete && !isReset(channel)) {
      outputEnded = true;
      ssl.closeOutbound();
    }
    transport().close(promise);
  }

  private static boolean isReset(Channel channel) {
    Integer linger = channel.config().getOption(ChannelOption.SO_LINGER);
    return linger != null && linger == 0;
  }

  /** Ends a connection whose handshake is not complete. */
  @Override
  public void stop() {
    if (!handshaken) {
      transport().close();
    }
  }

  @Override
  public void drop() {
    transport().close();
  }

  /** Reads and drops. */
  @Sharable
  private static final class Drop extends ChannelInboundHandlerAdapter {
    private static final Drop INSTANCE = new Drop();

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ReferenceCountUtil.release(message);
    }
  }

  /** Returns the context in which a close is TCP's, without close_notify. */
  private ChannelHandlerContext transport() {
    return Objects.requireNonNull(transport);
  }
}
