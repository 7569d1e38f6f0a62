package dev.windhover.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;

/** The way in which the host uses the operating system's network. */
public enum Transport {
  /** {@link #EPOLL} if it is available, {@link #NIO} otherwise. */
  AUTO,
  /** Linux's epoll, through Netty's native library. */
  EPOLL,
  /**
   * Linux's io_uring, through Netty's native library. Only on request: Netty 4.2.18 misses a
   * client's reset that comes right after data, so only keep-alive detects that such a socket is
   * dead. On ARM64, an application must add the library itself: {@code
   * netty-transport-native-io_uring} with the classifier {@code linux-aarch_64}.
   */
  IO_URING,
  /** The JDK's own, available everywhere. */
  NIO;

  /**
   * Linux's option for what it holds without having sent it, as the listener has it: Netty's own is
   * for connections, and would cost each of them a system call.
   */
  private static final IntegerUnixChannelOption TCP_NOTSENT_LOWAT =
      new IntegerUnixChannelOption("windhover.TCP_NOTSENT_LOWAT", 6, 25);

  /** What many servers choose: enough for a loop that is busy for a while. */
  private static final int MOST_UNSENT = 128 * 1024;

  /** Enough for 10 Mbit/s over 200 ms. */
  private static final int NIO_SEND_BUFFER = 256 * 1024;

  /**
   * Returns the transport to use.
   *
   * @throws IllegalStateException if this one is not available on this machine
   */
  Transport resolve() {
    return switch (this) {
      case AUTO -> Epoll.isAvailable() ? EPOLL : NIO;
      case EPOLL -> require(Epoll.isAvailable(), "epoll");
      case IO_URING -> require(IoUring.isAvailable(), "io_uring");
      case NIO -> NIO;
    };
  }

  private Transport require(boolean available, String name) {
    if (!available) {
      throw new IllegalStateException("transport " + name + " is not available on this machine");
    }
    return this;
  }

  IoHandlerFactory handlers() {
    return switch (this) {
      case EPOLL -> new EpollFactory();
      case IO_URING -> IoUringIoHandler.newFactory();
      case NIO, AUTO -> NioIoHandler.newFactory();
    };
  }

  /**
   * Bounds what the system holds of the output of each connection that {@code bootstrap} accepts.
   *
   * @param sendBuffer the size of the system's send buffer; 0 for the default
   */
  void boundOutput(ServerBootstrap bootstrap, int sendBuffer) {
    switch (this) { // connections have the option of their listener
      case EPOLL, IO_URING -> bootstrap.option(TCP_NOTSENT_LOWAT, MOST_UNSENT);
      case NIO, AUTO -> bootstrap.childOption(ChannelOption.SO_SNDBUF, NIO_SEND_BUFFER);
    }
    if (sendBuffer > 0) {
      bootstrap.childOption(ChannelOption.SO_SNDBUF, sendBuffer);
    }
  }

  Class<? extends ServerChannel> serverChannel() {
    return switch (this) {
      case EPOLL -> EpollServerSocketChannel.class;
      case IO_URING -> IoUringServerSocketChannel.class;
      case NIO, AUTO -> NioServerSocketChannel.class;
    };
  }
}
