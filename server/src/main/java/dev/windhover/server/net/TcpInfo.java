package dev.windhover.server.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What Linux knows of the output of a TCP connection ({@code struct tcp_info} in {@code
 * linux/tcp.h}). To read it is a system call, so it is read when a time limit is looked at, and
 * never for each write.
 *
 * @param acknowledged how many bytes the peer's side has acknowledged in total
 * @param unacknowledged how many bytes the system holds that it has not: not sent yet, or on the
 *     way
 */
record TcpInfo(long acknowledged, long unacknowledged) {
  private static final int IPPROTO_TCP = 6;
  private static final int TCP_INFO = 11;

  /** The state of a connection that the peer has reset, which Netty may not notice for long. */
  private static final int TCP_CLOSE = 7;

  // Where the fields are in the structure, to which Linux only ever adds. The last one is from
  // 4.19.
  private static final int STATE = 0;
  private static final int BYTES_ACKED = 120;
  private static final int NOTSENT_BYTES = 144;
  private static final int BYTES_SENT = 200;
  private static final int BYTES_RETRANS = 208;
  private static final int SIZE = 216;

  private static final RawUnixChannelOption OPTION =
      new RawUnixChannelOption("windhover.TCP_INFO", IPPROTO_TCP, TCP_INFO, SIZE);

  /** Reads it; null if the system or the transport does not tell, or the connection is closed. */
  static @Nullable TcpInfo of(Channel channel) {
    if (!channel.isOpen()) {
      return null; // its descriptor may be another connection's already
    }
    ByteBuffer info;
    try {
      info = channel.config().getOption(OPTION);
    } catch (ChannelException e) { // the peer has reset it
      return null;
    }
    return info == null || info.remaining() < SIZE ? null : parse(info);
  }

  private static @Nullable TcpInfo parse(ByteBuffer info) {
    info.order(ByteOrder.nativeOrder());
    long acknowledged = info.getLong(BYTES_ACKED);
    if (info.get(STATE) == TCP_CLOSE) {
      return new TcpInfo(acknowledged, 0); // what was on the way never arrives
    }
    long sent = info.getLong(BYTES_SENT);
    if (sent == 0 && acknowledged > 1) { // an older Linux does not count it; a FIN counts as 1
      return null;
    }
    long onTheWay = Math.max(0, sent - info.getLong(BYTES_RETRANS) - acknowledged);
    return new TcpInfo(acknowledged, onTheWay + Integer.toUnsignedLong(info.getInt(NOTSENT_BYTES)));
  }

  /** Returns how many bytes the system may take, and hold, without telling whether they arrive. */
  static int unseen(Channel channel) {
    if (of(channel) != null) {
      return 0;
    }
    Integer buffer = channel.config().getOption(ChannelOption.SO_SNDBUF);
    return buffer == null ? 0 : buffer;
  }
}
