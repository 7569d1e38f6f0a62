package dev.windhover.http.host;

import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Those who are sent the same messages: what a group is built on. Members may take a message in
 * different forms, for example because they speak different protocols.
 *
 * <p>Any thread may call it, even an event loop, and no call waits for a member. A message is
 * handed to each loop in one task, which delivers it to the members there. What one thread does
 * happens in that order for each member.
 *
 * <p>A recipient leaves by itself when it can be sent nothing more.
 */
public final class Recipients {
  /** Says a message in the form that members take. */
  @FunctionalInterface
  public interface Forms {
    /**
     * Returns the message for all members that have joined with {@code form}; null if they do not
     * get it.
     */
    @Nullable PreparedMessage in(Object form);
  }

  private static final Part[] NOBODY = {};
  private static final Recipient.Encoder[] NONE = {};

  /** What {@link #size} is when nobody can join any more. */
  private static final int RETIRED = -1;

  private final Runnable emptied;

  /** The members of each loop and form; there are few. A change replaces the array. */
  private final AtomicReference<Part[]> parts = new AtomicReference<>(NOBODY);

  private final AtomicInteger size = new AtomicInteger();

  /** Creates one without members. */
  public Recipients() {
    this(() -> {});
  }

  /**
   * Creates one without members.
   *
   * @param emptied called when the last member has left, by any thread; others may have joined
   *     since
   */
  public Recipients(Runnable emptied) {
    this.emptied = emptied;
  }

  // ---- Members

  /**
   * Makes a place for one more; {@link #add} must follow. Until then these cannot be retired.
   *
   * @return false if they are
   */
  public boolean enter() {
    int before;
    do {
      before = size.get();
      if (before == RETIRED) {
        return false;
      }
    } while (!size.compareAndSet(before, before + 1));
    return true;
  }

  /**
   * Adds {@code recipient} after {@link #enter}: it gets what is sent from now on.
   *
   * @param form what {@link Forms} are asked for; compared by {@code equals}
   * @param whenFull what happens to messages for which it has no room, unless the message says so
   * @return its membership; null if it is a member already, or can be sent nothing more: then its
   *     place is free again
   */
  public Recipient.@Nullable Membership add(Recipient recipient, Object form, WhenFull whenFull) {
    Part part = part(recipient.fanOut(), form);
    Member member = new Member(part, recipient, whenFull);
    part.size.incrementAndGet(); // a member that ends at once is taken off after that
    if (!recipient.add(member)) {
      part.left();
      return null;
    }
    Recipient.Encoder encoder = recipient.encoder();
    if (encoder != null) {
      part.add(encoder);
    }
    part.fanOut.execute(member::join);
    return member;
  }

  /**
   * Removes {@code recipient}. It still gets what was sent before.
   *
   * @return the membership that has ended; null if it is no member
   */
  public Recipient.@Nullable Membership remove(Recipient recipient) {
    Recipient.Membership membership = recipient.remove(this);
    if (membership != null) {
      membership.ended();
    }
    return membership;
  }

  /** Returns the number of members. */
  public int size() {
    return Math.max(size.get(), 0);
  }

  /** Lets nobody join any more if there is no member; returns false if there is one. */
  public boolean retire() {
    return size.compareAndSet(0, RETIRED) || size.get() == RETIRED;
  }

  private Part part(FanOut fanOut, Object form) {
    while (true) {
      Part[] known = parts.get();
      for (Part each : known) {
        if (each.fanOut.equals(fanOut) && each.form.equals(form)) {
          return each;
        }
      }
      Part[] more = Arrays.copyOf(known, known.length + 1);
      more[known.length] = new Part(fanOut, form);
      parts.compareAndSet(known, more);
    }
  }

  // ---- Sending

  /**
   * Sends a message. A sender waits only if it is faster than the loops; see {@link
   * FanOut#awaitRoom}.
   *
   * @param message asked at least once for each form that a member takes, and for no other
   * @param whenFull null for what each member has joined with
   * @param key which messages replace one another with {@link WhenFull#KEEP_LATEST}
   * @param except who does not get it; they need not be members
   */
  public void send(
      Forms message, @Nullable WhenFull whenFull, Object key, Set<? extends Recipient> except) {
    for (Part part : parts.get()) {
      if (part.size.get() > 0) {
        PreparedMessage prepared = message.in(part.form);
        if (prepared == null) {
          continue;
        }
        part.encode(prepared);
        part.fanOut.awaitRoom();
        part.fanOut.execute(part.new Send(new Delivery(prepared, whenFull, key), except));
      }
    }
  }

  /** The members on one loop that take one form. */
  private final class Part {
    final FanOut fanOut;
    final Object form;

    /** Any thread. */
    final AtomicInteger size = new AtomicInteger();

    /** Those of the members so far; servers use few settings. A change replaces the array. */
    final AtomicReference<Recipient.Encoder[]> encoders = new AtomicReference<>(NONE);

    /** In any order; loop only. */
    final List<Member> members = new ArrayList<>(1); // many groups have one member

    Part(FanOut fanOut, Object form) {
      this.fanOut = fanOut;
      this.form = form;
    }

    void left() {
      size.decrementAndGet();
      if (Recipients.this.size.decrementAndGet() == 0) {
        emptied.run();
      }
    }

    void add(Recipient.Encoder encoder) {
      Recipient.Encoder[] known;
      Recipient.Encoder[] more;
      do {
        known = encoders.get();
        for (Recipient.Encoder each : known) {
          if (each.isSame(encoder)) {
            return;
          }
        }
        more = Arrays.copyOf(known, known.length + 1);
        more[known.length] = encoder;
      } while (!encoders.compareAndSet(known, more));
    }

    /** The sender compresses, unless it is a loop: then the first member does, if it is short. */
    void encode(PreparedMessage message) {
      Recipient.Encoder[] known = encoders.get();
      if (known.length == 0 || LoopThread.isCurrent()) {
        return;
      }
      for (Recipient.Encoder each : known) {
        each.encode(message);
      }
    }

    /** A message for them, and those that were sent right after it. */
    final class Send extends FanOut.Task {
      private final Burst burst;
      private final Set<? extends Recipient> except;
      private int reached;

      Send(Delivery delivery, Set<? extends Recipient> except) {
        super(delivery.message().size(), size.get());
        this.burst = new Burst(delivery);
        this.except = except;
      }

      private Part part() {
        return Part.this;
      }

      @Override
      protected boolean joins(FanOut.Task before) {
        if (!(before instanceof Send first)
            || first.part() != part()
            || !first.except.equals(except)) {
          return false;
        }
        first.burst.addAll(burst);
        return true;
      }

      @Override
      protected boolean run() {
        boolean isForAll = except.isEmpty();
        while (reached < members.size()) {
          if (!fanOut.hasTurn()) {
            return false;
          }
          Member member = members.get(reached++);
          if (isForAll || !except.contains(member.recipient)) {
            member.recipient.deliver(burst, member.whenFull);
            fanOut.delivered(burst.deliveries().size());
          }
        }
        return true;
      }
    }
  }

  /** A recipient among these. */
  private final class Member implements Recipient.Membership {
    private final Part part;
    private final Recipient recipient;
    private final WhenFull whenFull;

    private volatile boolean hasEnded;

    // Loop only.
    private int index = -1;
    private boolean isOver;

    Member(Part part, Recipient recipient, WhenFull whenFull) {
      this.part = part;
      this.recipient = recipient;
      this.whenFull = whenFull;
    }

    @Override
    public Object group() {
      return Recipients.this;
    }

    @Override
    public boolean hasEnded() {
      return hasEnded;
    }

    @Override
    public void ended() {
      hasEnded = true;
      part.left();
      part.fanOut.execute(this::leave);
    }

    private void join() {
      if (!isOver) { // it may have ended before this was left
        index = part.members.size();
        part.members.add(this);
      }
    }

    private void leave() {
      isOver = true;
      if (index >= 0) {
        Member last = part.members.removeLast();
        if (last != this) { // which takes the free place
          part.members.set(index, last);
          last.index = index;
        }
      }
    }
  }
}
