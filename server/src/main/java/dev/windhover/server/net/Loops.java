package dev.windhover.server.net;

import dev.windhover.http.host.LoopThread;
import dev.windhover.http.host.LoopWatch;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.EventExecutorChooserFactory.EventExecutorChooser;
import io.netty.util.concurrent.FastThreadLocalThread;
import io.netty.util.concurrent.ThreadPerTaskExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The event loops of a server: one that accepts connections and runs nothing else, so that it is
 * never held, and those on which connections live. Thread-safe.
 */
public final class Loops extends MultiThreadIoEventLoopGroup {
  /** A loop that has not taken a connection within this time is passed over until it does. */
  private static final long LATE_MILLIS = 50;

  private final int connectionLoops;
  private final Consumer<Throwable> onLoopEnded;
  private final LongAdder handlers = new LongAdder();

  /**
   * Creates the loops, whose threads do not run yet.
   *
   * @param loops the number of loops on which connections live
   * @param onLoopEnded called if a loop ends before it is told to, which only an error can bring
   *     about; on its thread, with the error
   */
  public Loops(int loops, IoHandlerFactory io, Consumer<Throwable> onLoopEnded) {
    super(1 + loops, new ThreadPerTaskExecutor(new Threads()), Chooser::new, io);
    this.connectionLoops = loops;
    this.onLoopEnded = onLoopEnded;
  }

  private static final class Threads extends DefaultThreadFactory {
    Threads() {
      super("windhover");
    }

    @Override
    protected Thread newThread(Runnable loop, String name) {
      return new OneThread(loop, name);
    }
  }

  private static final class OneThread extends FastThreadLocalThread implements LoopThread {
    OneThread(Runnable loop, String name) {
      super(loop, name);
    }
  }

  @Override
  protected IoEventLoop newChild(Executor thread, IoHandlerFactory io, Object... none) {
    return new OneLoop(this, thread, io);
  }

  /**
   * Starts the threads: none has to be created when the process may have nothing left for it.
   *
   * @return the loops on which connections live
   */
  public List<LoopWatch.Loop> start() {
    List<LoopWatch.Loop> watched = new ArrayList<>();
    for (EventExecutor loop : this) {
      Thread thread = loop.submit(Thread::currentThread).syncUninterruptibly().getNow();
      AtomicLong steps = ((OneLoop) loop).steps;
      watched.add(new LoopWatch.Loop(thread, loop, steps::get));
    }
    return watched.subList(1, watched.size()); // the first accepts
  }

  /** Returns the loop that accepts connections. */
  public EventLoop acceptor() {
    return (EventLoop) iterator().next();
  }

  /**
   * Gives a new connection to one of the loops: to the next one, unless something holds it. Then
   * another one takes the connection.
   */
  @Override
  public ChannelFuture register(Channel channel) {
    return connectionLoops == 1 ? super.register(channel) : new Offer(channel).promise;
  }

  /** Returns the count of what {@code loop} has read. */
  static AtomicLong stepsOf(EventLoop loop) {
    return loop instanceof OneLoop ours ? ours.steps : new AtomicLong();
  }

  /** Returns the count of handlers that run on threads of their own. */
  LongAdder handlers() {
    return handlers;
  }

  /** Returns how many handlers on threads of their own have not returned. */
  public long runningHandlers() {
    return handlers.sum();
  }

  /**
   * Ends the loops after what they have to do.
   *
   * @return whether all have ended within that time
   */
  public boolean end(long nanos) {
    shutdownGracefully(0, 1, TimeUnit.SECONDS);
    return terminationFuture().awaitUninterruptibly(nanos, TimeUnit.NANOSECONDS);
  }

  /** Chooses the loops of connections in turn, and passes over those that are late. */
  private static final class Chooser implements EventExecutorChooser {
    private final EventExecutor[] loops;
    private final AtomicInteger turn = new AtomicInteger();

    Chooser(EventExecutor[] loops) {
      this.loops = loops;
    }

    @Override
    public EventExecutor next() {
      EventExecutor next = inTurn();
      for (int i = 2; i < loops.length && ((OneLoop) next).late; i++) {
        next = inTurn();
      }
      return next;
    }

    private EventExecutor inTurn() {
      return loops[
          1 + Math.floorMod(turn.getAndIncrement(), loops.length - 1)]; // the first accepts
    }
  }

  /** A new connection, which the first loop that gets to it takes. */
  private final class Offer {
    private final AtomicReference<@Nullable EventExecutor> taken = new AtomicReference<>();
    private final ChannelPromise promise;

    Offer(Channel channel) {
      promise =
          new DefaultChannelPromise(channel) {
            @Override
            protected EventExecutor executor() {
              return Objects.requireNonNullElse(taken.get(), acceptor());
            }
          };
      make((OneLoop) next());
    }

    private void make(OneLoop loop) {
      try {
        loop.execute(() -> take(loop));
        acceptor().schedule(() -> look(loop), LATE_MILLIS, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        promise.tryFailure(e); // the server has stopped
      }
    }

    private void take(OneLoop loop) {
      loop.late = false;
      if (taken.compareAndSet(null, loop)) {
        loop.register(promise);
      }
    }

    private void look(OneLoop loop) {
      if (taken.get() == null) {
        loop.late = true;
        OneLoop other = (OneLoop) next();
        if (!other.late) {
          make(other);
        } // else whichever gets to it first
      }
    }
  }

  /** One of the loops. */
  private static final class OneLoop extends SingleThreadIoEventLoop {
    /** It has not taken a connection in time. */
    private volatile boolean late;

    /** How often it has read; it alone counts. */
    private final AtomicLong steps = new AtomicLong();

    OneLoop(IoEventLoopGroup parent, Executor thread, IoHandlerFactory io) {
      super(parent, thread, io);
    }

    @Override
    protected void run() {
      try {
        super.run();
      } catch (Throwable e) {
        ended(e);
        throw e;
      }
      if (!isShuttingDown()) {
        ended(new IllegalStateException("the event loop returned"));
      }
    }

    private void ended(Throwable cause) {
      if (parent() instanceof Loops loops) {
        loops.onLoopEnded.accept(cause);
      }
      ioHandler().prepareToDestroy(); // else its connections would stay, and nobody would hear
    }
  }
}
