package dev.windhover.server.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.host.MemoryBudget;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A channel asks for its buffers in the same way, whatever is spoken over it. */
class ReadBuffersTest {
  private static final int LIMIT = 1 << 20;

  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final NettyLoop loop = new NettyLoop(group.next());
  private final MemoryBudget memory = new MemoryBudget(LIMIT, LIMIT);
  private final NioSocketChannel channel = new NioSocketChannel();

  @AfterEach
  void end() {
    channel.unsafe().closeForcibly();
    group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
  }

  /** Holds what it is told to, and can free nothing. */
  private static final class Holder implements MemoryBudget.Holder {
    @Override
    public void stateMemory() {}

    @Override
    public long moved() {
      return 0;
    }

    @Override
    public void evict() {}
  }

  @ParameterizedTest(name = "after an upgrade: {0}")
  @ValueSource(booleans = {false, true})
  void littleIsReadWhileMemoryIsShort(boolean isUpgraded) throws Exception {
    ReadBuffers buffers = ReadBuffers.of(channel, memory);
    ExtendedHandle handle = (ExtendedHandle) channel.unsafe().recvBufAllocHandle();
    assertThat(handle).isSameAs(buffers);
    group
        .next()
        .submit(() -> {
          if (isUpgraded) {
            buffers.share();
          }
          MemoryBudget.Account account = memory.open(loop, new Holder());
          assertThat(read(handle)).isGreaterThanOrEqualTo(2_048);

          account.holds(LIMIT + 1, 0); // room is made at the end of the turn
          assertThat(read(handle)).isEqualTo(512);

          account.holds(0, 0);
          assertThat(read(handle)).isGreaterThanOrEqualTo(2_048);
          account.close();
        })
        .get();
  }

  /** Reads as much as it may in one turn, and returns how much that is. */
  private int read(ExtendedHandle handle) {
    handle.reset(channel.config());
    ByteBuf buffer = handle.allocate(channel.alloc());
    try {
      int size = buffer.writableBytes();
      handle.attemptedBytesRead(size);
      handle.lastBytesRead(size); // there is more
      handle.incMessagesRead(1);
      assertThat(handle.continueReading(() -> true)).as("another read in this turn").isFalse();
      handle.readComplete();
      return size;
    } finally {
      buffer.release();
    }
  }
}
