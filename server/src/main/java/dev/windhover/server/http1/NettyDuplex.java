package dev.windhover.server.http1;

import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Loop;
import dev.windhover.server.exchange.RequestId;
import dev.windhover.server.net.Link;
import dev.windhover.server.net.NetworkOutput;
import dev.windhover.server.net.TcpSink;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A TCP connection after its upgrade, as the seam's duplex: the last handler in its pipeline, and
 * the only one unless there is TLS. The read buffer is lent to the receiver as the memory it is;
 * output is flushed once per batch of reads.
 */
public final class NettyDuplex extends TcpSink implements Duplex, ChannelInboundHandler {
  private final Loop loop;
  private final RequestId id;
  private final Receiver receiver;

  /** Not the exchange that has it, which would live with all of its request. */
  private final CompletableFuture<Void> clientGone;

  // Loop only.
  private boolean ended;
  private boolean outputEnded;
  private boolean peerEnded;
  private boolean lost;
  private String why = "the connection was closed";

  /**
   * Creates one.
   *
   * @param clientGone completed when the connection ends otherwise than by both sides' ends
   */
  NettyDuplex(
      Channel channel,
      Link link,
      @Nullable NetworkOutput encrypted,
      Loop loop,
      RequestId id,
      Receiver receiver,
      CompletableFuture<Void> clientGone) {
    super(channel, link, encrypted);
    this.clientGone = clientGone;
    this.loop = loop;
    this.id = id;
    this.receiver = receiver;
  }

  /** Tells the receiver that it begins; called once this is in the pipeline. */
  void open() {
    receiver.onOpen(this);
    flush();
  }

  // ---- From Netty

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
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
      hasShrunk();
    }
  }

  /**
   * With TLS, a FIN without close_notify is the end of a peer that does not say it, if we have
   * ended already; before, it is a lost connection: who knows what the peer has said besides.
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

  /** The peer has ended its side; called by the connection if that came before the upgrade. */
  void peerEnded() {
    if (peerEnded || lost) {
      return;
    }
    peerEnded = true;
    receiver.onEnd();
    flush();
    if (outputEnded) {
      channel.close(); // else when all is written
    }
  }

  @Override
  @SuppressWarnings("deprecation") // for outbound handlers alone
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    why = "the connection failed: " + cause.getMessage();
    channel.close();
    lose(why);
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    lose(why);
  }

  /** Tells that the connection is gone, once. */
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
      // A failed write closed it, and what is written now is dropped in silence. Netty tells later;
      // a receiver that writes as long as there is room would never let it.
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
      if (peerEnded || !hasLeft) {
        channel.close();
      } else {
        outputEnded = true;
        link.endOutput(channel);
        channel.config().setAutoRead(true); // to see the peer's end
      }
    });
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
