package dev.windhover.server.http2;

import static io.netty.handler.codec.http2.Http2Exception.connectionError;

import dev.windhover.server.Http2Limits;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DecoratingHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Exception.StreamException;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;

/** Assembles Netty's parts of a connection, with the strictness and the windows that we want. */
final class Http2ConnectionBuilder
    extends AbstractHttp2ConnectionHandlerBuilder<Http2Connection, Http2ConnectionBuilder> {
  /** Credit is returned when this part of a window was consumed. */
  private static final float UPDATE_AT = 0.5f;

  /** Netty ends a connection at 5/4 of its own limit, which so is twice the limit of ours. */
  private static final double TAKEN_BY_NETTY = 1.6;

  /** Makes the handler of what was assembled. */
  interface Factory {
    Http2Connection make(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings);
  }

  private final Http2Request.Rules rules;
  private final StreamHistory history;
  private final Factory factory;

  Http2ConnectionBuilder(Http2Request.Rules rules, StreamHistory history, Factory factory) {
    this.rules = rules;
    this.history = history;
    this.factory = factory;
  }

  /** Returns the handler of a connection. */
  @Override
  public Http2Connection build() {
    var connection =
        new DefaultHttp2Connection(true) {
          @Override
          public boolean streamMayHaveExisted(int stream) {
            return super.streamMayHaveExisted(stream) || history.mayHaveBegun(stream);
          }
        };
    connection
        .local()
        .flowController(new DefaultHttp2LocalFlowController(connection, UPDATE_AT, true));
    connection
        .remote()
        .flowController(
            new DefaultHttp2RemoteFlowController(
                connection, new UniformStreamByteDistributor(connection)) {
              @Override
              public void initialWindowSize(int size) throws Http2Exception {
                try {
                  super.initialWindowSize(size);
                } catch (StreamException e) { // of the connection, in this case: RFC 9113 6.9.2
                  throw connectionError(e.error(), "%s", e.getMessage());
                }
              }
            });
    connection(connection)
        .initialSettings(settings().maxHeaderListSize(headersTakenByNetty()))
        .validateHeaders(true)
        .validateRequiredPseudoHeaders(true)
        .decoderEnforceMaxRstFramesPerWindow(0, 0) // Http2Frames counts them, by cause
        .encoderEnforceMaxRstFramesPerWindow(0, 0);
    return super.build();
  }

  @Override
  protected Http2Connection build(
      Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings initial) {
    return factory.make(decoder, keepingLimit(encoder, headersTakenByNetty()), settings());
  }

  /**
   * Makes the decoder keep its limit when the ACK of our SETTINGS comes, which tell another one.
   */
  private static Http2ConnectionEncoder keepingLimit(Http2ConnectionEncoder encoder, long headers) {
    return new DecoratingHttp2ConnectionEncoder(encoder) {
      @Override
      public ChannelFuture writeSettings(
          ChannelHandlerContext context, Http2Settings settings, ChannelPromise promise) {
        ChannelFuture written = super.writeSettings(context, settings, promise);
        settings.maxHeaderListSize(headers); // after the frame was made; the ACK will apply this
        return written;
      }
    };
  }

  private long headersTakenByNetty() {
    return (long) (TAKEN_BY_NETTY * rules.limits().maxHeaders());
  }

  /** Returns the settings that the client is told. */
  private Http2Settings settings() {
    Http2Limits limits = rules.limits().http2();
    Http2Settings settings =
        new Http2Settings()
            .maxConcurrentStreams(limits.maxStreamsPerConnection())
            .initialWindowSize(limits.initialStreamWindowSize())
            .maxHeaderListSize(rules.limits().maxHeaders());
    return rules.address().extendedConnect() ? settings.connectProtocolEnabled(true) : settings;
  }
}
