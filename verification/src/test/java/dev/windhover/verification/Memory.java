package dev.windhover.verification;

import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;

/** What this process holds in memory. */
final class Memory {
  private Memory() {}

  /** Returns the bytes of objects that are in use, garbage excluded. */
  static long heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  /**
   * Returns the bytes outside of the heap: Netty's, free or not, and those of the JDK's buffers.
   */
  static long direct() {
    long bytes = PlatformDependent.usedDirectMemory();
    for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
      bytes += pool.getMemoryUsed();
    }
    return bytes;
  }
}
