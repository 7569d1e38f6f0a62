package dev.windhover.server;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in a line that a listener cannot take a connection in, as when the process has no file
 * descriptor left. Netty, before it in the pipeline, lets the listener rest for a second then.
 */
@Sharable
final class AcceptFailures extends ChannelInboundHandlerAdapter {
  static final AcceptFailures INSTANCE = new AcceptFailures();

  private static final Logger log = LoggerFactory.getLogger(Server.class);

  private AcceptFailures() {}

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    log.warn(
        "{} takes no connection for 1 s: {}", ctx.channel().localAddress(), cause.getMessage());
  }
}
