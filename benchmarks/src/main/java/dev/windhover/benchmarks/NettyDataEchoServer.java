package dev.windhover.benchmarks;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.AbstractHttp2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;

/**
 * The limit of what a server on Netty's HTTP/2 can reach. It answers every request with 200, and
 * writes back the bytes of DATA frames without looking at them, through the handler and both flow
 * controllers, and without a channel for each stream. It flushes once per read batch, for which
 * Netty joins the DATA of a stream.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a lost reply fails the load generator
final class NettyDataEchoServer implements EchoServer {
  /** The same as ours. */
  static final int CONNECTION_WINDOW = 1024 * 1024;

  @Override
  public boolean agreesTo(Compression compression) {
    return !compression.on();
  }

  @Override
  public int start(Options options) throws InterruptedException {
    return options
        .transport()
        .bind(options, () -> new ChannelHandler[] {new Builder().settings().build()});
  }

  private static final class Builder
      extends AbstractHttp2ConnectionHandlerBuilder<Handler, Builder> {
    Builder settings() {
      var connection = new DefaultHttp2Connection(true);
      // The default one distributes by priorities, which costs time and which nobody sends.
      connection
          .remote()
          .flowController(
              new DefaultHttp2RemoteFlowController(
                  connection, new UniformStreamByteDistributor(connection)));
      return connection(connection)
          .validateHeaders(false)
          .initialSettings(new Http2Settings().connectProtocolEnabled(true));
    }

    @Override
    protected Handler build() {
      return super.build();
    }

    @Override
    protected Handler build(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      return new Handler(decoder, encoder, settings);
    }
  }

  private static final class Handler extends Http2ConnectionHandler {
    Handler(
        Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
      super(decoder, encoder, settings);
      decoder.frameListener(new Echo(encoder));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) throws Exception {
      super.handlerAdded(context);
      var controller = decoder().flowController();
      var whole = connection().connectionStream();
      controller.incrementWindowSize(whole, CONNECTION_WINDOW - controller.windowSize(whole));
      context.flush();
    }
  }

  private static final class Echo extends Http2FrameAdapter {
    private final Http2ConnectionEncoder encoder;

    Echo(Http2ConnectionEncoder encoder) {
      this.encoder = encoder;
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext context,
        int streamId,
        Http2Headers headers,
        int dependency,
        short weight,
        boolean exclusive,
        int padding,
        boolean end)
        throws Http2Exception {
      onHeadersRead(context, streamId, headers, padding, end);
    }

    @Override
    public void onHeadersRead(
        ChannelHandlerContext context, int streamId, Http2Headers headers, int padding, boolean end)
        throws Http2Exception {
      Http2Headers answer = new DefaultHttp2Headers(false).status("200");
      encoder.writeHeaders(context, streamId, answer, 0, end, context.newPromise());
    }

    @Override
    public int onDataRead(
        ChannelHandlerContext context, int streamId, ByteBuf data, int padding, boolean end) {
      int size = data.readableBytes() + padding;
      encoder.writeData(context, streamId, data.retain(), 0, end, context.newPromise());
      return size;
    }
  }
}
