package dev.windhover.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslClientHelloHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * Refuses a client that offers application protocols and none of ours (RFC 7301 3.2), before the
 * TLS engine sees its hello: BoringSSL, as Netty uses it, would go on without a protocol, and the
 * client would be answered in one that it did not offer. Stands before the engine, and leaves when
 * the hello is complete.
 */
public final class OfferedProtocols extends SslClientHelloHandler<List<String>> {
  /** The extension of ALPN (RFC 7301 3.1). */
  private static final int ALPN = 16;

  private static final int VERSION_AND_RANDOM = 2 + 32;

  /** A fatal no_application_protocol, in a record of its own (RFC 8446 5.1, 6). */
  private static final byte[] ALERT = {21, 3, 3, 0, 2, 2, 120};

  /**
   * Returns the protocols that the client offers; empty if it does not use ALPN.
   *
   * @param hello the ClientHello; null if something else came, which the engine will refuse
   */
  @Override
  protected Future<List<String>> lookup(ChannelHandlerContext ctx, @Nullable ByteBuf hello) {
    return ctx.executor().newSucceededFuture(hello == null ? List.of() : offered(hello));
  }

  @Override
  protected void onLookupComplete(ChannelHandlerContext ctx, Future<List<String>> lookup) {
    List<String> offered = lookup.getNow();
    if (offered.isEmpty() || offered.stream().anyMatch(TlsContext.PROTOCOLS::contains)) {
      ctx.pipeline().remove(this);
      return;
    }
    String why = "no common application protocol: the client offers " + offered;
    ctx.fireUserEventTriggered(new SslHandshakeCompletionEvent(new SSLHandshakeException(why)));
    ctx.writeAndFlush(Unpooled.wrappedBuffer(ALERT)).addListener(ChannelFutureListener.CLOSE);
  }

  /** Reads a ClientHello (RFC 8446 4.1.2). If it ends too early, the engine will refuse it. */
  private static List<String> offered(ByteBuf hello) {
    hello.skipBytes(VERSION_AND_RANDOM);
    hello.skipBytes(hello.readUnsignedByte()); // session
    hello.skipBytes(hello.readUnsignedShort()); // ciphers
    hello.skipBytes(hello.readUnsignedByte()); // compression
    if (!hello.isReadable()) {
      return List.of(); // TLS 1.2 allows a hello without extensions
    }
    ByteBuf extensions = hello.readSlice(hello.readUnsignedShort());
    while (extensions.isReadable()) {
      int type = extensions.readUnsignedShort();
      ByteBuf extension = extensions.readSlice(extensions.readUnsignedShort());
      if (type == ALPN) {
        return names(extension.readSlice(extension.readUnsignedShort()));
      }
    }
    return List.of();
  }

  private static List<String> names(ByteBuf list) {
    List<String> names = new ArrayList<>();
    while (list.isReadable()) {
      int length = list.readUnsignedByte();
      names.add(list.readSlice(length).toString(StandardCharsets.US_ASCII));
    }
    return names;
  }
}
