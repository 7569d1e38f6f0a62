package dev.windhover.server.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import org.jspecify.annotations.Nullable;

/**
 * What carries a connection's bytes, and how its ends are brought about: TCP alone, or {@link
 * TlsLink}. On the loop.
 */
public interface Link {
  /** TCP and nothing above it. */
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

        // Straight to the transport: no handler on the way has anything to do with it.
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

  /** Returns the scheme of what is asked for over it. */
  String scheme();

  /** Returns the version of TLS, as {@code TLSv1.3}; null without. */
  @Nullable String tls();

  /** Returns whether the system can send a file by itself, without our reading it. */
  boolean sendsFiles();

  /** Adds to the output. */
  void write(Channel channel, Object message, ChannelPromise promise);

  /** Sends what was added. */
  void flush(Channel channel);

  /** Returns whether the peer's side has ended as anybody on the way could have ended it. */
  boolean isTruncated();

  /** Ends our direction; what was written has left. */
  void endOutput(Channel channel);

  /** Drops the connection with a reset, and what was not sent yet. */
  void abort(Channel channel);

  /** Makes the connection's end a reset, whoever brings it about. */
  static void resetAtClose(Channel channel) {
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0); // RST rather than FIN
    }
  }
}
