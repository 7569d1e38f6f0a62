package dev.windhover.server;

import dev.windhover.http.Headers;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loggers;
import dev.windhover.server.exchange.ConnectionCount;
import dev.windhover.server.exchange.NewConnection;
import dev.windhover.server.exchange.RequestFault;
import dev.windhover.server.http1.Http1Connection;
import dev.windhover.server.http2.Http2Connection;
import dev.windhover.server.http2.Http2Preface;
import dev.windhover.server.http2.Http2Request;
import dev.windhover.server.net.Link;
import dev.windhover.server.net.ReadBuffers;
import dev.windhover.server.net.Stoppable;
import dev.windhover.server.tls.FirstByte;
import dev.windhover.server.tls.OfferedProtocols;
import dev.windhover.server.tls.TlsContext;
import dev.windhover.server.tls.TlsLink;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Takes the new connections of one address in, and finds out what they speak: TLS or not, and then
 * HTTP/1.1 or HTTP/2. The last handler in the pipeline of a connection is {@link Stoppable}.
 */
final class Negotiation extends ChannelInitializer<Channel> {
  private static final Logger log = Loggers.get(Server.class);

  /** What a browser shows to somebody who typed http instead of https. */
  private static final RequestFault PLAIN =
      new RequestFault(400, "this port speaks HTTPS: use https://\n");

  private final ConnectionCount connections;
  private final @Nullable TlsContext tls;
  private final Http2Request.Rules rules;
  private final ExchangeHandler handler;
  private final BooleanSupplier isStopping;

  /**
   * Creates the negotiation of one address.
   *
   * @param tls the certificate; null for an address without TLS
   * @param isStopping returns whether new connections close as soon as they are idle
   */
  Negotiation(
      ConnectionCount connections,
      @Nullable TlsContext tls,
      Http2Request.Rules rules,
      ExchangeHandler handler,
      BooleanSupplier isStopping) {
    this.connections = connections;
    this.tls = tls;
    this.rules = rules;
    this.handler = handler;
    this.isStopping = isStopping;
  }

  @Override
  protected void initChannel(Channel channel) {
    ConnectionCount.Place place = connections.enter(channel);
    if (place == null) {
      channel.close();
      return;
    }
    ReadBuffers buffers = ReadBuffers.of(channel, place.memory());
    NewConnection taken = new NewConnection(channel, Link.TCP, place, buffers);
    if (tls == null) {
      speakPlain(taken);
    } else {
      speakTls(taken, tls);
    }
  }

  /** Begins with HTTP/1.1; a client that sends the preface of HTTP/2 gets that. */
  private void speakPlain(NewConnection taken) {
    Http1Connection http1 = speakHttp1(taken, handler);
    Http2Preface preface =
        new Http2Preface(() -> {
          if (http1.leave()) {
            speakHttp2(taken);
          }
        });
    taken.channel().pipeline().addFirst(preface);
  }

  /** Begins with TLS, in whose handshake the client and we agree on a protocol (RFC 7301). */
  private void speakTls(NewConnection plain, TlsContext context) {
    Channel channel = plain.channel();
    SslHandler ssl = context.newHandler(channel.alloc(), rules.limits());
    TlsLink link =
        new TlsLink(
            ssl,
            (done, protocol) -> {
              NewConnection taken = plain.over(done);
              switch (protocol) { // TlsContext offers these
                case ApplicationProtocolNames.HTTP_2 -> speakHttp2(taken);
                case ApplicationProtocolNames.HTTP_1_1 -> speakHttp1(taken, handler).opened();
                default -> throw new IllegalStateException(protocol + " was not offered");
              }
            });
    OfferedProtocols offered = new OfferedProtocols();
    FirstByte firstByte =
        new FirstByte(() -> {
          log.debug("{} does not speak TLS", channel.remoteAddress());
          channel.pipeline().remove(offered);
          channel.pipeline().remove(link);
          channel.pipeline().remove(ssl);
          speakHttp1(plain, Negotiation::refusePlain).opened();
        });
    channel.pipeline().addLast(firstByte, offered, ssl, link);
  }

  private static void refusePlain(Exchange exchange) {
    PLAIN.answer(exchange, new Headers().set("Connection", "close"));
  }

  private Http1Connection speakHttp1(NewConnection taken, ExchangeHandler handler) {
    Http1Connection connection = Http1Connection.begin(taken, rules.limits(), handler);
    stopIfStopping(taken.channel(), connection);
    return connection;
  }

  private void speakHttp2(NewConnection taken) {
    stopIfStopping(taken.channel(), Http2Connection.begin(taken, rules, handler));
  }

  /** A connection that was accepted while the listeners were closing may not be told to stop. */
  private void stopIfStopping(Channel channel, Stoppable connection) {
    if (isStopping.getAsBoolean()) {
      channel.eventLoop().execute(connection::stop);
    }
  }
}
