package dev.windhover.server.exchange;

import dev.windhover.http.Connection;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.ConnectionBuilder;
import dev.windhover.server.net.Link;
import dev.windhover.server.net.ReadBuffers;
import io.netty.channel.Channel;

/** A connection that was taken in, before it speaks HTTP. */
public record NewConnection(
    Channel channel, Link link, ConnectionCount.Place place, ReadBuffers buffers) {
  /** Returns the same connection, carried by {@code other}. */
  public NewConnection over(Link other) {
    return new NewConnection(channel, other, place, buffers);
  }

  /** Returns what applications see of the connection. */
  public Connection facts(HttpVersion version) {
    return new ConnectionBuilder(place.id(), channel.remoteAddress(), channel.localAddress())
        .tls(link.tls())
        .version(version)
        .build();
  }
}
