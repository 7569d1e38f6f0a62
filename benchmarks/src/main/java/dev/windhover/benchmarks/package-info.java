/**
 * Whole-server comparisons: one echo server per process, driven over loopback by a load generator
 * in another process.
 *
 * <p>{@link dev.windhover.benchmarks.Compare} runs the whole matrix and prints the table; {@link
 * dev.windhover.benchmarks.BenchServer} and {@link dev.windhover.benchmarks.LoadGenerator} are its
 * two halves, for measuring one cell by hand. {@link dev.windhover.benchmarks.MemoryCompare} does
 * not use the generator. How to measure honestly:
 *
 * <ul>
 *   <li>The figure to compare is <em>messages per second of server CPU</em>. Messages per second of
 *       wall time also measure the client and everything else that runs on the machine.
 *   <li>Server and client are each pinned to a core of their own. A pinned JVM sees one processor
 *       and picks the serial collector; that is the same for all contenders.
 *   <li>The server's core must be busy. If it is not, the client was the bottleneck, and the server
 *       read smaller batches than it could have. The programs say so; do not ignore it.
 *   <li>Latencies are those of a saturated closed loop: roughly the number of outstanding messages
 *       divided by the throughput. They show stalls, not how fast an idle server answers.
 *   <li>Over HTTP/2 the generator puts each message into a DATA frame of its own. Servers may join
 *       the replies of a batch to save frames, and Netty's raw echo does so.
 *   <li>Text costs more than binary if a server checks UTF-8; compare like with like.
 *   <li>Compare only figures of one run on a quiet machine. Ratios hold on other machines, absolute
 *       figures do not.
 *   <li>A contender that does not echo what was sent is not fast but wrong: the generator checks
 *       the header of every reply and the content of a sample of them, and fails.
 *   <li>With compression, zlib is most of the cost, so contenders must do the same amount of it.
 *       Level, memory level and the negotiated parameters must be the same, or the program fails;
 *       the bytes of a reply show the rest.
 * </ul>
 */
@NullMarked
package dev.windhover.benchmarks;

import org.jspecify.annotations.NullMarked;
