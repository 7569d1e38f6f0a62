package dev.windhover.server.exchange;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * How many of something each remote address has. An address is counted under its key: an IPv4
 * address under itself, and an IPv6 address under its first 64 bits, because one customer gets at
 * least that many addresses (RFC 6177). Thread-safe.
 */
final class AddressCount {
  /** The key of addresses that are not counted. */
  static final long EXEMPT = 0;

  /** Only addresses that have something are here. This map takes no lock; other maps do. */
  private final ConcurrentMap<Long, Integer> counts = new ConcurrentSkipListMap<>();

  /** Returns the key of {@code address}. */
  static long key(@Nullable SocketAddress address, Predicate<InetAddress> isExempt) {
    return address instanceof InetSocketAddress internet && internet.getAddress() != null
        ? key(internet.getAddress(), isExempt)
        : EXEMPT;
  }

  /** Returns the key of {@code address}. */
  static long key(InetAddress address, Predicate<InetAddress> isExempt) {
    if (isExempt.test(address)) {
      return EXEMPT;
    }
    ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
    // No IPv6 network in use begins with 32 zeros, so the two kinds of keys differ.
    return bytes.capacity() == 4 ? Integer.toUnsignedLong(bytes.getInt()) : bytes.getLong();
  }

  /** Counts one more for {@code key}; returns false if it has {@code most} already. */
  boolean take(long key, int most) {
    while (key != EXEMPT) {
      Integer before = counts.getOrDefault(key, 0);
      if (before >= most) {
        return false;
      }
      boolean counted =
          before == 0
              ? counts.putIfAbsent(key, 1) == null
              : counts.replace(key, before, before + 1);
      if (counted) {
        break;
      }
    }
    return true;
  }

  /** Counts one less for {@code key}, which has at least one. */
  void giveBack(long key) {
    while (key != EXEMPT) {
      Integer before = counts.getOrDefault(key, 1);
      boolean counted =
          before == 1 ? counts.remove(key, before) : counts.replace(key, before, before - 1);
      if (counted) {
        break;
      }
    }
  }

  /** Returns how many addresses have something. */
  int size() {
    return counts.size();
  }
}
