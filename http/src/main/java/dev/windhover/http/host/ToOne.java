package dev.windhover.http.host;

import dev.windhover.http.websocket.WhenFull;

/** A message for one recipient alone, and those that were sent right after it. */
final class ToOne extends FanOut.Task {
  private final Recipient recipient;
  private final Burst burst;

  ToOne(Recipient recipient, Delivery delivery) {
    super(delivery.message().size(), 1);
    this.recipient = recipient;
    this.burst = new Burst(delivery);
  }

  @Override
  protected boolean joins(FanOut.Task before) {
    if (!(before instanceof ToOne first) || !first.recipient.equals(recipient)) {
      return false;
    }
    first.burst.addAll(burst);
    return true;
  }

  @Override
  protected boolean run() {
    recipient.deliver(burst, WhenFull.DISCONNECT);
    recipient.fanOut().delivered(burst.deliveries().size());
    return true;
  }
}
