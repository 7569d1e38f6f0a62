package dev.windhover.server.http1;

import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Loop;
import dev.windhover.server.exchange.RequestId;
import dev.windhover.server.net.Link;
import dev.windhover.server.net.NettyLoop;
import dev.windhover.server.net.NetworkOutput;
import dev.windhover.server.net.Stoppable;
import dev.windhover.server.net.TcpSink;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection after its upgrade, as the duplex of the seam. It is the last handler in the
 * pipeline, and the only one without TLS. It lends the read buffer itself to the receiver, and
 * flushes output once per batch of reads.
 */
public final class NettyDuplex extends TcpSink implements Duplex, Stoppable, ChannelInboundHandler {
  /** How long the peer may take to end its side after we ended ours while the server stops. */
  private static final int LINGER_SECONDS_AT_STOP = 1;

  private final NettyLoop loop;
  private final RequestId id;
  private final Receiver receiver;

  /** Not the exchange itself, which would keep all of its request alive. */
  private final CompletableFuture<Void> clientGone;

  // Loop only.
  private boolean ended;
  private boolean outputEnded;
  private boolean inputOver;
  private boolean stopping;
  private boolean peerEnded;
  private boolean lost;
  private String why = "the connection was closed";

  /**
   * Creates one.
   *
   * @param clientGone completed if the connection ends without both sides having ended theirs
   */
  NettyDuplex(
      Channel channel,
      Link link,
      @Nullable NetworkOutput encrypted,
      NettyLoop loop,
      RequestId id,
      Receiver receiver,
      CompletableFuture<Void> clientGone) {
    super(channel, link, encrypted);
    this.clientGone = clientGone;
    this.loop = loop;
    this.id = id;
    this.receiver = receiver;
  }

  /** Tells the receiver that the socket is open; called after this was added to the pipeline. */
  void open() {
    receiver.onOpen(this);
    flush();
  }

  // ---- From Netty

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    loop.step();
    try {
      if (message instanceof ByteBuf bytes && !lost) {
        receiver.onBytes(bytes.internalNioBuffer(bytes.readerIndex(), bytes.readableBytes()));
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    receiver.onBatchEnd();
    flush();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (channel.isWritable()) {
      checkMark();
    }
  }

  /**
   * With TLS, a FIN without close_notify counts as the peer's end if we have ended before.
   * Otherwise the connection is lost, because an attacker may have cut off what the peer sent.
   */
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event != ChannelInputShutdownEvent.INSTANCE) {
      return;
    }
    if (link.isTruncated() && !ended) {
      lose("the connection ended without close_notify");
      channel.close();
    } else {
      peerEnded();
    }
  }

  /** The peer has ended its side, perhaps before the upgrade. */
  void peerEnded() {
    if (peerEnded || lost) {
      return;
    }
    peerEnded = true;
    receiver.onEnd();
    flush();
    if (outputEnded) {
      channel.close(); // otherwise when everything is written
    }
  }

  @Override
  @SuppressWarnings("deprecation") // only for outbound handlers
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    why = "the connection failed: " + cause.getMessage();
    channel.close();
    lose(why);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    lose(why);
  }

  /** Tells the receiver that the connection is gone, once. */
  private void lose(String reason) {
    if (lost) {
      return;
    }
    lost = true;
    close();
    receiver.onLost(reason);
    if (!outputEnded || !peerEnded) {
      clientGone.complete(null);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {}

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {}

  @Override
  public void channelRegistered(ChannelHandlerContext ctx) {}

  @Override
  public void channelUnregistered(ChannelHandlerContext ctx) {}

  @Override
  public void channelActive(ChannelHandlerContext ctx) {}

  // ---- The seam

  @Override
  public String id() {
    return id.toString();
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public void pause() {
    channel.config().setAutoRead(false);
  }

  @Override
  public void resume() {
    channel.config().setAutoRead(true);
  }

  @Override
  public void consumed(int bytes) {
    // TCP's own window is the credit.
  }

  @Override
  protected void flushed() {
    if (!channel.isActive()) {
      // A failed write closed it, and further writes would be dropped silently. Netty reports that
      // later, but a receiver that writes as long as there is room would never let it.
      lose(why);
    }
  }

  @Override
  public void end() {
    if (ended || lost) {
      return;
    }
    ended = true;
    whenWritten(hasLeft -> {
      if (peerEnded || !hasLeft || (stopping && inputOver)) {
        channel.close();
      } else {
        outputEnded = true;
        link.endOutput(channel);
        channel.config().setAutoRead(true); // to see the peer's end
        closeIfStopping();
      }
    });
  }

  @Override
  public void inputIsOver() {
    inputOver = true;
    closeIfStopping();
  }

  /** Applications end their sockets; from now on, the peer's end is not waited for long. */
  @Override
  public void stop() {
    stopping = true;
    closeIfStopping();
  }

  /**
   * Closes, if our side has ended and the server stops: at once if the peer has said its last word.
   * Otherwise unread bytes of the peer could make this a reset, which could destroy our last bytes.
   */
  private void closeIfStopping() {
    if (!stopping || !outputEnded) {
      return;
    }
    if (inputOver) {
      channel.close();
    } else {
      ScheduledFuture<?> close =
          channel
              .eventLoop()
              .schedule(() -> channel.close(), LINGER_SECONDS_AT_STOP, TimeUnit.SECONDS);
      channel.closeFuture().addListener(closed -> close.cancel(false));
    }
  }

  @Override
  public void drop() {
    abort();
  }

  @Override
  public void abort() {
    if (lost) {
      return;
    }
    why = "aborted";
    link.abort(channel);
  }
}
