package dev.windhover.server.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class NettyLoopTest {
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final EventLoop eventLoop = group.next();
  private final NettyLoop loop = new NettyLoop(eventLoop);

  @AfterEach
  void end() {
    group.shutdownGracefully(0, 0, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 100})
  void virtualThreadsAreWokenAtTheEndOfTheTurn(int count) throws Exception {
    CountDownLatch woken = new CountDownLatch(count);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      threads.add(
          Thread.startVirtualThread(() -> {
            LockSupport.park();
            woken.countDown();
          }));
    }
    for (Thread thread : threads) {
      awaitState(thread, Thread.State.WAITING);
    }

    List<Thread.State> withinTheTurn =
        onLoop(() -> {
          threads.forEach(loop::unpark);
          return threads.stream().map(Thread::getState).toList();
        });

    assertThat(withinTheTurn).containsOnly(Thread.State.WAITING);
    woken.await();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 100})
  void virtualThreadsAreStartedAtTheEndOfTheTurn(int count) throws Exception {
    CountDownLatch started = new CountDownLatch(count);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      threads.add(Thread.ofVirtual().unstarted(started::countDown));
    }

    List<Thread.State> withinTheTurn =
        onLoop(() -> {
          threads.forEach(loop::start);
          return threads.stream().map(Thread::getState).toList();
        });

    assertThat(withinTheTurn).containsOnly(Thread.State.NEW);
    started.await();
  }

  @Test
  void platformThreadsWaitForNoTurnAndNoScheduler() throws Exception {
    CountDownLatch woken = new CountDownLatch(1);
    CountDownLatch started = new CountDownLatch(1);
    Thread parked =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              LockSupport.park();
              woken.countDown();
            });
    Thread fresh = Thread.ofPlatform().daemon().unstarted(started::countDown);

    assertThat(
            onLoop(() -> {
              loop.unpark(parked);
              loop.start(fresh);
              woken.await(); // within the turn
              started.await();
              return true;
            }))
        .isTrue();
  }

  @Test
  void offTheLoopThreadsAreWokenAndStartedAtOnce() throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch woken = new CountDownLatch(2);
    eventLoop.execute(() -> {
      try {
        held.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });

    Thread parked =
        Thread.startVirtualThread(() -> {
          LockSupport.park();
          woken.countDown();
        });
    loop.unpark(parked);
    loop.start(Thread.ofVirtual().unstarted(woken::countDown));

    woken.await(); // though the loop gets nowhere
    held.countDown();
  }

  private <T> T onLoop(Callable<T> task) throws Exception {
    return eventLoop.submit(task).get();
  }

  private static void awaitState(Thread thread, Thread.State state) {
    while (thread.getState() != state) {
      Thread.onSpinWait();
    }
  }
}
