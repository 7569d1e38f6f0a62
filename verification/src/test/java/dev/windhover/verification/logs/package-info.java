/**
 * Captures what is logged during tests, including Netty's leak reports, and fails tests for
 * unexpected lines.
 */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification.logs;
