package dev.windhover.http.host;

import dev.windhover.http.websocket.WhenFull;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Messages for the same sockets of one loop that leave together, in order. Loop only, once it is
 * handed over.
 */
public final class Burst {
  private final List<Delivery> deliveries;
  private long bytes;
  private boolean keepsLatest;
  private @Nullable ByteBuffer frames;

  /** Creates one of a single message. */
  public Burst(Delivery first) {
    deliveries = new ArrayList<>(1);
    add(first);
  }

  /** Adds a message, before the first socket has been sent the others. */
  public void add(Delivery next) {
    deliveries.add(next);
    bytes += next.message().size();
    keepsLatest |= next.whenFull() == WhenFull.KEEP_LATEST;
  }

  /** Adds all messages of another one. */
  public void addAll(Burst next) {
    next.deliveries.forEach(this::add);
  }

  /** Returns the messages. */
  public List<Delivery> deliveries() {
    return deliveries;
  }

  /** Returns how many bytes of payload they have together. */
  public long bytes() {
    return bytes;
  }

  /** Returns whether one of them says that it may be replaced. */
  public boolean keepsLatest() {
    return keepsLatest;
  }

  /**
   * Returns the messages as they go to each socket that sends them as they are, in a view that all
   * share.
   *
   * @param encoder makes that view for the first
   */
  public ByteBuffer frames(Function<Burst, ByteBuffer> encoder) {
    ByteBuffer known = frames;
    if (known == null) {
      known = encoder.apply(this);
      frames = known;
    }
    return known.rewind();
  }
}
