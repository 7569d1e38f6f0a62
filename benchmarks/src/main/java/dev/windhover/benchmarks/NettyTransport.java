package dev.windhover.benchmarks;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What every contender has in common, so that only the code above the transport is compared: the
 * transport, one group of loops that both accepts and serves, and the settings in {@link
 * #configure}.
 */
enum NettyTransport {
  EPOLL(EpollServerSocketChannel.class) {
    @Override
    IoHandlerFactory ioHandlers() {
      return EpollIoHandler.newFactory();
    }
  },
  NIO(NioServerSocketChannel.class) {
    @Override
    IoHandlerFactory ioHandlers() {
      return NioIoHandler.newFactory();
    }
  };

  private final Class<? extends ServerChannel> serverChannel;

  NettyTransport(Class<? extends ServerChannel> serverChannel) {
    this.serverChannel = serverChannel;
  }

  abstract IoHandlerFactory ioHandlers();

  /** Epoll if it is available. */
  static NettyTransport preferred() {
    return Epoll.isAvailable() ? EPOLL : NIO;
  }

  /** The settings that all contenders share: Netty's defaults, spelled out where they matter. */
  static ServerBootstrap configure(ServerBootstrap bootstrap) {
    return bootstrap
        .option(ChannelOption.SO_BACKLOG, 1024)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.ALLOCATOR, ByteBufAllocator.DEFAULT)
        .childOption(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator());
  }

  /** Binds a server whose connections start with the given handlers, and returns its port. */
  int bind(EchoServer.Options options, Supplier<ChannelHandler[]> handlers)
      throws InterruptedException {
    var loops = new MultiThreadIoEventLoopGroup(options.loops(), ioHandlers());
    Channel server =
        configure(new ServerBootstrap())
            .group(loops)
            .channel(serverChannel)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(handlers.get());
                  }
                })
            .bind(InetAddress.getLoopbackAddress(), options.port())
            .sync()
            .channel();
    return ((InetSocketAddress) server.localAddress()).getPort();
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
