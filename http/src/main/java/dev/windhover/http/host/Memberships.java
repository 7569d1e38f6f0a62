package dev.windhover.http.host;

import dev.windhover.http.host.Recipient.Membership;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The groups that a recipient is in: few, so that a change copies them. Any thread; takes no lock.
 */
public final class Memberships {
  private static final Membership[] NONE = {};

  private static final VarHandle ALL;

  static {
    try {
      ALL = MethodHandles.lookup().findVarHandle(Memberships.class, "all", Membership[].class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Null when nothing can be joined any more. */
  private volatile Membership @Nullable [] all = NONE;

  /** Creates an empty collection. */
  public Memberships() {}

  /** Adds one, unless there is one of the same group, or the recipient can be sent nothing more. */
  public boolean add(Membership one) {
    Membership[] before;
    Membership[] after;
    do {
      before = all;
      if (before == null || indexOf(before, one.group()) >= 0) {
        return false;
      }
      after = Arrays.copyOf(before, before.length + 1);
      after[before.length] = one;
    } while (!ALL.compareAndSet(this, before, after));
    return true;
  }

  /** Removes and returns the one of {@code group}; null if there is none. */
  public @Nullable Membership remove(Object group) {
    while (true) {
      Membership[] before = all;
      int index = before == null ? -1 : indexOf(before, group);
      if (before == null || index < 0) {
        return null;
      }
      Membership[] after = NONE;
      if (before.length > 1) {
        after = Arrays.copyOf(before, before.length - 1);
        System.arraycopy(before, index + 1, after, index, before.length - 1 - index);
      }
      if (ALL.compareAndSet(this, before, after)) {
        return before[index];
      }
    }
  }

  /** The recipient can be sent nothing more. */
  public void end() {
    Membership[] before = (Membership[]) ALL.getAndSet(this, null);
    if (before != null) {
      for (Membership each : before) {
        each.ended();
      }
    }
  }

  private static int indexOf(Membership[] memberships, Object group) {
    for (int i = 0; i < memberships.length; i++) {
      if (memberships[i].group().equals(group)) {
        return i;
      }
    }
    return -1;
  }
}
