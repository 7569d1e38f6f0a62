package dev.windhover.http.host;

import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One message for recipients who are no group. As in a group, it is handed to each loop in one
 * task, it waits for nobody, and what one thread sends arrives in that order. For one thread.
 */
public final class Mailing {
  /** Those on one loop who take one form. */
  private record Part(FanOut fanOut, Object form) {}

  private record Addressee(Recipient recipient, WhenFull whenFull) {}

  private final Map<Part, List<Addressee>> parts = new LinkedHashMap<>(2);

  /** Creates one without recipients. */
  public Mailing() {}

  /**
   * Adds a recipient.
   *
   * @param form what the {@link Recipients.Forms} are asked for; compared by {@code equals}
   * @param whenFull what happens if it has no room, unless the message says so
   */
  public void add(Recipient recipient, Object form, WhenFull whenFull) {
    parts
        .computeIfAbsent(new Part(recipient.fanOut(), form), _ -> new ArrayList<>())
        .add(new Addressee(recipient, whenFull));
  }

  /**
   * Sends the message to the recipients, who belong to the loops then: there are none afterwards. A
   * sender waits only if it is faster than the loops; see {@link FanOut#awaitRoom}.
   *
   * @param message asked once for each form that somebody takes, and loop
   * @param whenFull null for what was said for each recipient
   * @param key which messages replace one another with {@link WhenFull#KEEP_LATEST}
   */
  public void send(Recipients.Forms message, @Nullable WhenFull whenFull, Object key) {
    parts.forEach((part, addressees) -> {
      PreparedMessage prepared = message.in(part.form);
      if (prepared == null) {
        return;
      }
      FanOut fanOut = part.fanOut;
      if (!LoopThread.isCurrent()) {
        encode(prepared, addressees);
      }
      fanOut.awaitRoom();
      fanOut.execute(new ToSome(fanOut, addressees, new Delivery(prepared, whenFull, key)));
    });
    parts.clear();
  }

  private static void encode(PreparedMessage message, List<Addressee> addressees) {
    for (Addressee each : addressees) {
      Recipient.Encoder encoder = each.recipient.encoder();
      if (encoder != null) {
        encoder.encode(message); // the first time for its settings
      }
    }
  }

  /** A message for some of a loop, and those that were sent to the same right after it. */
  private static final class ToSome extends FanOut.Task {
    private final FanOut fanOut;
    private final List<Addressee> addressees;
    private final Burst burst;
    private int reached;

    ToSome(FanOut fanOut, List<Addressee> addressees, Delivery delivery) {
      super(delivery.message().size(), addressees.size());
      this.fanOut = fanOut;
      this.addressees = addressees;
      this.burst = new Burst(delivery);
    }

    @Override
    protected boolean joins(FanOut.Task before) {
      if (!(before instanceof ToSome first) || !first.addressees.equals(addressees)) {
        return false;
      }
      first.burst.addAll(burst);
      return true;
    }

    @Override
    protected boolean run() {
      while (reached < addressees.size()) {
        if (!fanOut.hasTurn()) {
          return false;
        }
        Addressee each = addressees.get(reached++);
        each.recipient.deliver(burst, each.whenFull);
        fanOut.delivered(burst.deliveries().size());
      }
      return true;
    }
  }
}
