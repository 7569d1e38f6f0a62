package dev.windhover.samples.dashboard;

/**
 * What the gauges say at one moment.
 *
 * @param heap memory in use, in MiB
 * @param cpu the processor time of the last second, in percent of one processor
 */
record Reading(double heap, double cpu) {
  /** From before the start. */
  static final Reading NONE = new Reading(Double.NaN, Double.NaN);
}
