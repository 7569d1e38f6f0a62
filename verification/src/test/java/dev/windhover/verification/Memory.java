package dev.windhover.verification;

import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;

/** What this process holds in memory. */
final class Memory {
  private Memory() {}

  /** Returns the bytes of objects that are in use, garbage excluded. */
  static long heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  /** Returns how many objects of Windhover's classes are in use, garbage excluded. */
  static long ownObjects() {
    return objects("dev.windhover.");
  }

  /** Returns how many objects of classes with such names are in use, garbage excluded. */
  static long objects(String prefix) {
    try {
      Object histogram =
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "gcClassHistogram",
                  new Object[] {null},
                  new String[] {String[].class.getName()});
      return ((String) histogram)
          .lines()
          .map(line -> line.trim().split(" +")) // place, instances, bytes, class
          .filter(words -> words.length > 3 && words[3].startsWith(prefix))
          .mapToLong(words -> Long.parseLong(words[1]))
          .sum();
    } catch (JMException e) {
      throw new AssertionError(e);
    }
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
