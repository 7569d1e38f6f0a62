package dev.windhover.server;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import org.jspecify.annotations.Nullable;

/**
 * What carries a connection's bytes, and how its ends are brought about: TCP alone, or {@link
 * TlsLink}. On the loop.
 */
interface Link {
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
