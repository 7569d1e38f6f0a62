package dev.windhover.server.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import org.jspecify.annotations.Nullable;

/**
 * What carries the bytes of a connection, and how it ends: plain TCP, or TLS over TCP. Loop only.
 */
public interface Link {
  /** Plain TCP. */
  Link TCP =
      new Link() {
        @Override
        public String scheme() {
          return "http";
        }

        @Override
        public @Nullable String tls() {
          return null;
        }

        @Override
        public boolean sendsFiles() {
          return true;
        }

        // Straight to the transport, because no handler on the way would change it.
        @Override
        public void write(Channel channel, Object message, ChannelPromise promise) {
          channel.unsafe().write(message, promise);
        }

        @Override
        public void flush(Channel channel) {
          channel.unsafe().flush();
        }

        @Override
        public boolean isTruncated() {
          return false;
        }

        @Override
        public void endOutput(Channel channel) {
          ((DuplexChannel) channel).shutdownOutput();
        }

        @Override
        public void abort(Channel channel) {
          resetAtClose(channel);
          channel.close();
        }
      };

  /** Returns the scheme of the requests. */
  String scheme();

  /** Returns the version of TLS, such as {@code TLSv1.3}; null without TLS. */
  @Nullable String tls();

  /** Returns whether the system can send a file without our reading it. */
  boolean sendsFiles();

  /** Adds to the output. */
  void write(Channel channel, Object message, ChannelPromise promise);

  /** Sends what was added. */
  void flush(Channel channel);

  /** Returns whether the peer's side has ended without proof that the peer ended it. */
  boolean isTruncated();

  /** Ends our side; everything that was written must have left. */
  void endOutput(Channel channel);

  /** Drops the connection with a reset, and everything that was not sent yet. */
  void abort(Channel channel);

  /** Makes the end of the connection a reset, whatever causes it. */
  static void resetAtClose(Channel channel) {
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0); // RST rather than FIN
    }
  }
}
