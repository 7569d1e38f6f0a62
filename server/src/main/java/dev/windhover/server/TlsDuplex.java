package dev.windhover.server;

import dev.windhover.http.host.Loop;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.concurrent.CompletableFuture;

/** The same over TLS, whose handlers stay in the pipeline. */
final class TlsDuplex extends NettyDuplex {
  private final Channel channel;
  private final TlsLink link;
  private final Http1Output output;

  TlsDuplex(
      Channel channel,
      TlsLink link,
      Http1Output output,
      Loop loop,
      RequestId id,
      Receiver receiver,
      CompletableFuture<Void> clientGone) {
    super(channel, link, loop, id, receiver, clientGone);
    this.channel = channel;
    this.link = link;
    this.output = output;
  }

  /**
   * A FIN without close_notify is the end of a peer that does not say it, if we have ended already;
   * before, it is a lost connection: who knows what the peer has said besides.
   */
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE && link.isTruncated() && !hasEnded()) {
      lose("the connection ended without close_notify");
      channel.close();
    } else {
      super.userEventTriggered(ctx, event);
    }
  }

  @Override
  void send(ByteBuf bytes) {
    channel.write(bytes, channel.voidPromise());
  }

  @Override
  void sendAll() {
    channel.flush();
  }

  /** What the network took, encrypted. */
  @Override
  public long transmitted() {
    return output.total();
  }
}
