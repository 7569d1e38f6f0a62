package dev.windhover.samples.dashboard;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;

/** The gauges of this process. Used by one thread at a time. */
final class Machine implements Supplier<Reading> {
  /** The system counts in steps of 10 ms or so; over this many readings they do not show. */
  private static final int SMOOTHED = 20;

  private final OperatingSystemMXBean system =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
  private final Runtime runtime = Runtime.getRuntime();
  private final Deque<CpuTime> recent = new ArrayDeque<>();

  private record CpuTime(long used, long at) {}

  @Override
  public Reading get() {
    long heap = runtime.totalMemory() - runtime.freeMemory();
    return new Reading(heap / 1048576.0, cpuPercent());
  }

  private double cpuPercent() {
    CpuTime now = new CpuTime(system.getProcessCpuTime(), System.nanoTime());
    recent.add(now);
    CpuTime then = recent.size() > SMOOTHED ? recent.remove() : recent.getFirst();
    return now.at == then.at ? 0 : 100.0 * (now.used - then.used) / (now.at - then.at);
  }
}
